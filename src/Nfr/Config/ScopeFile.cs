using Nfr.Events;

namespace Nfr.Config;

/// <summary>One entry of a scope list and where it stands.</summary>
public readonly record struct ScopeEntry(string Text, int Line);

/// <summary>One group of scope.yml as written, checked.</summary>
public sealed record ScopeGroupSection
{
    public required string Name { get; init; }
    public string Label { get; init; } = "";
    /// <summary>Networks whose events are wanted; empty = every address.</summary>
    public IReadOnlyList<ScopeEntry> InScope { get; init; } = [];
    /// <summary>Networks inside them whose events are not.</summary>
    public IReadOnlyList<ScopeEntry> OutScope { get; init; } = [];
    /// <summary>Domains whose dns and http events are not wanted; "*.a" is a itself and all below.</summary>
    public IReadOnlyList<ScopeEntry> TrustedDomains { get; init; } = [];
    /// <summary>Destinations whose ip and tls events are not wanted.</summary>
    public IReadOnlyList<ScopeEntry> TrustedIps { get; init; } = [];
    public int Line { get; init; }
}

/// <summary>scope.yml: groups of networks to watch and of destinations to leave alone.</summary>
public static class ScopeFile
{
    const string Name = "built-in scope";

    /// <summary>The group that applies when no scope.file is set, the same as the original's.</summary>
    public static IReadOnlyList<ScopeGroupSection> BuiltIn { get; } =
    [
        new()
        {
            Name = "default",
            Label = "Default",
            InScope = Of("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "fc00::/7"),
            TrustedDomains = Of("*.arpa", "*.lan", "*.local", "*.internal"),
            TrustedIps = Of(
                "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/8", "255.255.255.255/32",
                "fc00::/7", "fe80::/10", "ff00::/8"),
        },
    ];

    static ScopeEntry[] Of(params ReadOnlySpan<string> texts)
    {
        var entries = new ScopeEntry[texts.Length];
        for (int i = 0; i < texts.Length; i++) entries[i] = new ScopeEntry(texts[i], 0);
        return entries;
    }

    /// <summary>The file that the config names, or the built-in group; null when it has faults, and then all of them.</summary>
    public static IReadOnlyList<ScopeGroupSection>? Load(ScopeConfig scope, out IReadOnlyList<ConfigFault> faults)
    {
        faults = [];
        if (scope.File is null) return BuiltIn;
        byte[]? bytes = ConfigFile.ReadBytes(scope.File, out string reason);
        if (bytes is not null) return Parse(scope.File, bytes, out faults);
        faults = [new ConfigFault(scope.File, 0, $"{reason}; correct scope.file in the config, or remove it to use the {Name}")];
        return null;
    }

    /// <summary>Reads the text of a scope file; null when it has faults, and then all of them.</summary>
    public static IReadOnlyList<ScopeGroupSection>? Parse(string file, ReadOnlySpan<byte> text, out IReadOnlyList<ConfigFault> faults)
    {
        var list = new FaultList(file);
        YamlMap? map = YamlReader.Read(text, list);
        List<ScopeGroupSection> groups = [];
        if (map is not null || list.Count == 0)
        {
            var root = new Section(new ConfigSource(list, "/"), "", map, 1);
            foreach ((string name, Section section) in root.Named("groups")) groups.Add(Group(name, section, list));
            root.End();
        }
        faults = list.InOrder();
        return faults.Count == 0 ? groups : null;
    }

    static ScopeGroupSection Group(string name, Section s, FaultList faults)
    {
        var group = new ScopeGroupSection
        {
            Name = name,
            Label = s.Text("label") ?? "",
            InScope = Networks(s, "in_scope", faults),
            OutScope = Networks(s, "out_scope", faults),
            TrustedDomains = Domains(s, "trusted_domains", faults),
            TrustedIps = Networks(s, "trusted_ips", faults),
            Line = s.Line,
        };
        s.End();
        return group;
    }

    static List<ScopeEntry> Networks(Section s, string key, FaultList faults)
    {
        List<ScopeEntry> networks = [];
        foreach ((string text, int line) in s.Entries(key))
        {
            networks.Add(new ScopeEntry(text, line));
            if (IpPrefix.TryParse(text, out _)) continue;
            string advice = Wire.Address.TryParse(text, out Wire.Address address) ? $"; one address is written {text}/{(address.IsV4 ? 32 : 128)}" : ", such as 10.0.0.0/8 or fc00::/7";
            faults.Add(line, $"{key}: expected a network in CIDR form{advice}; found \"{text}\"");
        }
        return networks;
    }

    static List<ScopeEntry> Domains(Section s, string key, FaultList faults)
    {
        List<ScopeEntry> domains = [];
        foreach ((string text, int line) in s.Entries(key))
        {
            domains.Add(new ScopeEntry(text, line));
            if (!DomainPattern.TryParse(text, out _)) faults.Add(line, $"{key}: expected a domain such as example.com or *.example.com; found \"{text}\"");
        }
        return domains;
    }
}
