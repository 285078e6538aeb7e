using System.IO.Compression;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>What goes out of a batch where it is not as the spool has it: stamps put right, or the API's fields alone for an engine that is to have no more while another has all.</summary>
public static class OutgoingLines
{
    /// <param name="batch">Of the spool.</param>
    /// <param name="apiOnly">Leaves out what the API does not have: the owner chose what leaves.</param>
    /// <param name="epochs">Puts stamps right; null = they are.</param>
    public static ReadOnlyMemory<byte> Of(SpoolBatch batch, bool apiOnly, ClockEpochs? epochs)
    {
        bool restamps = epochs is not null && epochs.Touches(batch);
        if (!apiOnly && !restamps) return batch.Body;
        using MemoryStream output = new(batch.Body.Length);
        using MemoryStream scratch = new(1024);
        using (GZipStream gzip = new(output, CompressionLevel.Fastest))
        {
            int index = 0;
            foreach (ReadOnlyMemory<byte> line in batch.Lines())
            {
                ReadOnlySpan<byte> text = line.Span;
                if (restamps)
                {
                    long sequence = batch.SequenceOf(index);
                    scratch.SetLength(0);
                    EventLine.WriteRestamped(text, stamp => epochs!.Corrected(batch.Type, sequence, stamp), scratch);
                    text = scratch.GetBuffer().AsSpan(0, (int)scratch.Length);
                }
                if (apiOnly) EventLine.WriteApiPart(text, batch.Type, gzip);
                else gzip.Write(text);
                gzip.WriteByte((byte)'\n');
                index++;
            }
        }
        return output.ToArray();
    }
}
