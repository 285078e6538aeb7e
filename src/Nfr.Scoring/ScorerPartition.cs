namespace Nfr.Scoring;

/// <summary>
/// One of many networks whose events one scorer takes turns with: its own clock, and a seed that keeps its keys apart from all others'. What a
/// detector keeps outside of its tables (such as when the uplink last answered) is shared.
/// </summary>
public sealed class ScorerPartition
{
    /// <param name="name">Any two networks differ in it.</param>
    public ScorerPartition(string name)
    {
        Name = name;
        Span<byte> hash = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name), hash);
        // Never 0: that is the sensor on board.
        Seed = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(hash) | 1;
    }

    public string Name { get; }

    internal ulong Seed { get; }

    /// <summary>How long it has been watched: what is new to one network says nothing of another.</summary>
    internal Tables.SiteLife Life { get; set; } = new();

    /// <summary>Whether <see cref="Life"/> is the one that is kept across restarts.</summary>
    internal bool IsRemembered { get; set; }

    /// <summary>What of its resolvers waits for their clients.</summary>
    internal Detection.DnsSite Resolvers { get; } = new();

    /// <summary>The greatest tick of its events.</summary>
    public long Now { get; internal set; }

    /// <summary>Sets its clock back, when what it was set by was wrong. Not while it is entered.</summary>
    /// <param name="tick">What it is now; later than <see cref="Now"/> it changes nothing.</param>
    public void PutBack(long tick)
    {
        if (tick >= Now) return;
        Now = tick;
        Life.PutBack(tick);
    }
}
