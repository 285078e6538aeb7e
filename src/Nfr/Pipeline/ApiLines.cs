using System.IO.Compression;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>What an engine gets that is to have the API's fields alone, while another has them all: the owner chose what leaves.</summary>
static class ApiLines
{
    public static ReadOnlyMemory<byte> Of(SpoolBatch batch)
    {
        using MemoryStream output = new(batch.Body.Length);
        using (GZipStream gzip = new(output, CompressionLevel.Fastest))
        {
            foreach (ReadOnlyMemory<byte> line in batch.Lines())
            {
                EventLine.WriteApiPart(line.Span, batch.Type, gzip);
                gzip.WriteByte((byte)'\n');
            }
        }
        return output.ToArray();
    }
}
