namespace Nfr.Faults.Disk;

/// <summary>A file's bytes, and what SQLite's connections to it share: locks and the memory of the log's index.</summary>
sealed class DiskFile(int id)
{
    byte[] _bytes = new byte[4096];

    public int Id { get; } = id;
    public int Length { get; private set; }
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);
    public SharedMemory Index { get; } = new();

    // SQLite's five lock states as their holders (sqlite.org/lockingv3).
    public int SharedHolders { get; set; }
    public OpenFile? Reserved { get; set; }
    public OpenFile? Pending { get; set; }

    public DiskFile Copy()
    {
        var copy = new DiskFile(Id) { _bytes = _bytes.AsSpan(0, Math.Max(Length, 64)).ToArray(), Length = Length };
        return copy;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        int end = checked((int)offset + data.Length);
        if (end > _bytes.Length) Array.Resize(ref _bytes, Math.Max(end, _bytes.Length * 2));
        if (offset > Length) _bytes.AsSpan(Length, (int)offset - Length).Clear();
        data.CopyTo(_bytes.AsSpan((int)offset));
        Length = Math.Max(Length, end);
    }

    public void Truncate(long length)
    {
        if (length > Length) _bytes.AsSpan(Length, Math.Max(0, Math.Min(_bytes.Length, (int)length) - Length)).Clear();
        if (length > _bytes.Length) Array.Resize(ref _bytes, (int)length);
        Length = (int)length;
    }
}
