using System.Buffers;
using System.IO.Compression;
using System.Text;

namespace Nfr.Uplink;

/// <summary>
/// A body of _bulk: for each document a line that says "create under this id" and the document's line. Ids follow from who sends what, so that a repeat is a conflict (409) and
/// nothing is doubled.
/// </summary>
sealed class BulkBody
{
    readonly ArrayBufferWriter<byte> _text = new(64 << 10);
    readonly List<int> _ends = [];

    public int Count => _ends.Count;
    /// <summary>Bytes of all lines.</summary>
    public int Length => _text.WrittenCount;

    /// <param name="id">Letters, digits and hyphens; at most 512 bytes by the API.</param>
    /// <param name="write">Writes the document without a line end.</param>
    public void Add(string id, Action<IBufferWriter<byte>> write)
    {
        Write("{\"create\":{\"_id\":\"");
        Write(id);
        Write("\"}}\n");
        write(_text);
        Write("\n");
        _ends.Add(_text.WrittenCount);
    }

    /// <summary>The lines of some documents in one gzip member.</summary>
    public byte[] Compress(IReadOnlyList<int> items)
    {
        using MemoryStream output = new();
        using (GZipStream gzip = new(output, CompressionLevel.Fastest))
        {
            foreach (int item in items) gzip.Write(_text.WrittenSpan[(item == 0 ? 0 : _ends[item - 1]).._ends[item]]);
        }
        return output.ToArray();
    }

    void Write(string ascii) => _text.Advance(Encoding.ASCII.GetBytes(ascii, _text.GetSpan(ascii.Length)));
}
