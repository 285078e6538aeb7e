namespace Nfr.Uplink;

/// <summary>RFC 5322, 3.4: a name for people, if any, and an address.</summary>
/// <param name="Name">May hold any letters; empty = none.</param>
/// <param name="Address">local@domain, without blanks, brackets and control characters, so that it can stand in a header and in a command.</param>
public sealed record Mailbox(string Name, string Address)
{
    public string Domain => Address[(Address.LastIndexOf('@') + 1)..];

    /// <summary>Reads "a@b.c" or "Name &lt;a@b.c&gt;"; null when it is neither.</summary>
    public static Mailbox? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string name = "", address = text.Trim();
        if (address.Any(char.IsControl)) return null;
        int open = address.LastIndexOf('<');
        if (open >= 0)
        {
            if (!address.EndsWith('>')) return null;
            name = address[..open].Trim().Trim('"').Trim();
            address = address[(open + 1)..^1].Trim();
        }
        int at = address.LastIndexOf('@');
        if (at is <= 0 or > 64 || at == address.Length - 1 || address.Length > 254 || name.Length > 200) return null;
        if (address.Any(c => char.IsWhiteSpace(c) || char.IsSurrogate(c) || "<>()[]\\,;:\"".Contains(c, StringComparison.Ordinal))) return null;
        if (address[..at].Contains('@', StringComparison.Ordinal) || address[..at] is ['.', ..] or [.., '.'] || address[..at].Contains("..", StringComparison.Ordinal)) return null;
        return Uri.CheckHostName(address[(at + 1)..]) == UriHostNameType.Dns ? new Mailbox(name, address) : null;
    }

    public override string ToString() => Name.Length == 0 ? Address : $"{Name} <{Address}>";
}
