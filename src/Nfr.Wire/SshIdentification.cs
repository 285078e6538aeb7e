namespace Nfr.Wire;

/// <summary>
/// RFC 4253 4.2, the line "SSH-protoversion-softwareversion SP comments". Every getter is safe once <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct SshIdentification
{
    /// <summary>With its line end (RFC 4253 4.2).</summary>
    public const int MaximumLength = 255;

    SshIdentification(ReadOnlySpan<byte> protocolVersion, ReadOnlySpan<byte> software)
    {
        ProtocolVersion = protocolVersion;
        Software = software;
    }

    /// <summary>"2.0"; "1.99" says that both 1.x and 2.0 are spoken (RFC 4253 5.1).</summary>
    public ReadOnlySpan<byte> ProtocolVersion { get; }

    /// <summary>Software version and, after a space, the comments; may be empty.</summary>
    public ReadOnlySpan<byte> Software { get; }

    /// <summary>The key exchange of RFC 4253 follows.</summary>
    public bool IsVersion2 => ProtocolVersion.StartsWith("2."u8) || ProtocolVersion.SequenceEqual("1.99"u8);

    /// <summary>A line begins so when it is the identification and not one of the lines that a server may send before it.</summary>
    public static bool IsIdentification(ReadOnlySpan<byte> line) => line.StartsWith("SSH-"u8);

    /// <summary>Reads a line with or without its line end.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> line, out SshIdentification identification)
    {
        identification = default;
        line = line.TrimEnd("\r\n"u8);
        if (line.Length > MaximumLength - 2) return DecodeFault.SshIdentificationTooLong;
        if (!IsIdentification(line)) return DecodeFault.SshIdentificationInvalid;
        ReadOnlySpan<byte> rest = line[4..];
        int dash = rest.IndexOf((byte)'-');
        if (dash < 1) return DecodeFault.SshIdentificationInvalid;
        identification = new SshIdentification(rest[..dash], rest[(dash + 1)..]);
        return DecodeFault.None;
    }
}
