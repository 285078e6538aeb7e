namespace Nfr.Events;

/// <summary>
/// A rule of another sensor has matched: what its log calls an alert. Source is the flow's client, whoever sent the packet that matched. Scored here, never
/// spooled or uploaded itself. Texts are UTF-8, borrowed for the call; empty means not said.
/// </summary>
public ref struct SignatureEvent
{
    public EventContext Context;
    /// <summary>What the rule says of itself: "ET MALWARE … CnC Checkin".</summary>
    public ReadOnlySpan<byte> Signature;
    /// <summary>The rule's number (sid), the generator's (gid) and how often the rule was changed (rev).</summary>
    public uint SignatureId;
    public uint GeneratorId;
    public uint Revision;
    /// <summary>The rule's class in words: "A Network Trojan was detected".</summary>
    public ReadOnlySpan<byte> Category;
    /// <summary>The other sensor's own: 1 is the gravest, 4 the least; 0 = not said.</summary>
    public byte Severity;
    /// <summary>"allowed" or "blocked": what became of the packet.</summary>
    public ReadOnlySpan<byte> Action;
    public App App;
    /// <summary>Tags and malware families of the rule's metadata, separated by commas.</summary>
    public ReadOnlySpan<byte> Tags;
    /// <summary>Who says so: "suricata".</summary>
    public ReadOnlySpan<byte> Sensor;
    public SignatureNotes Notes;
}

/// <summary>What a rule says of its own kind.</summary>
[Flags]
public enum SignatureNotes : byte
{
    None = 0,
    /// <summary>It tells of a breach of policy rather than of an infection.</summary>
    Policy = 1,
    /// <summary>Command and control.</summary>
    CommandAndControl = 2,
    Phishing = 4,
    Cryptomining = 8,
    /// <summary>It names a family of malware, or is of the class of trojans.</summary>
    Malware = 16,
}
