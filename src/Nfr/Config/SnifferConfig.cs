namespace Nfr.Config;

/// <summary>inputs.sniffer: live capture from network interfaces.</summary>
public sealed record SnifferConfig
{
    /// <summary>IFNAMSIZ of Linux less its zero byte.</summary>
    const int MaxInterfaceName = 15;

    public bool Enabled { get; init; }
    /// <summary>Interfaces by name; empty = automatic choice.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];
    /// <summary>A filter expression as tcpdump takes it; null = every frame.</summary>
    public string? Filter { get; init; }
    /// <summary>Capture threads per interface; frames are spread by flow.</summary>
    public int Workers { get; init; } = 1;
    /// <summary>Bytes of the kernel's packet ring, per worker.</summary>
    public long RingSize { get; init; } = 32L << 20;

    internal static SnifferConfig Read(Section s)
    {
        var interfaces = s.Entries("interface");
        var seen = new HashSet<string>();
        foreach ((string name, int _) in interfaces)
        {
            if (name.Any(c => c <= ' ' || c is '/' or ',') || (OperatingSystem.IsLinux() && System.Text.Encoding.UTF8.GetByteCount(name) > MaxInterfaceName))
                s.Fault("interface", $"\"{name}\" is no interface name; write one name, or a list such as [eth0, eth1]");
            else if (!seen.Add(name)) s.Fault("interface", $"{name} is listed twice");
        }
        var sniffer = new SnifferConfig
        {
            Enabled = s.Flag("enabled", false),
            Interfaces = [.. interfaces.Select(i => i.Text)],
            Filter = s.Text("filter"),
            Workers = s.Integer("workers", 1, 1, 64),
            RingSize = s.Size("ring_size", 32L << 20, 1L << 20, 1L << 30),
        };
        s.End();
        return sniffer;
    }
}
