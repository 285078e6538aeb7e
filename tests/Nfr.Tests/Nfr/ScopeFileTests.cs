using System.Text;
using Nfr.Config;
using Nfr.Pipeline;

namespace Nfr.Tests.Nfr;

public sealed class ScopeFileTests
{
    static IReadOnlyList<ScopeGroupSection>? Parse(string text, out string faults)
    {
        var groups = ScopeFile.Parse("scope.yml", Encoding.UTF8.GetBytes(text), out IReadOnlyList<ConfigFault> list);
        faults = string.Join('\n', list);
        return groups;
    }

    [Fact]
    public void The_example_of_the_README_loads()
    {
        var groups = Parse("""
            groups:
              private_network:
                label: "Private network"
                in_scope:
                  - 10.0.0.0/8
                  - 192.168.0.0/16
                out_scope:
                  - 10.1.0.0/16
                  - 10.2.0.254/32
                trusted_domains:
                  - "*.example.com"
                  - "*.alphasoc.net"
                  - "google.com"
              public_network:
                label: "Private network"
                in_scope:
                  - 131.1.0.0/16
              my_own_group:
                label: "Custom group"
                in_scope:
                  - 131.2.0.0/16
                trusted_domains:
                  - "site.net"
                  - "*.internal.company.org"
            """, out string faults);
        Assert.Equal("", faults);
        Assert.Equal(["private_network", "public_network", "my_own_group"], groups!.Select(g => g.Name));
        Assert.Equal("Private network", groups![0].Label);
        Assert.Equal([new ScopeEntry("10.0.0.0/8", 5), new ScopeEntry("192.168.0.0/16", 6)], groups[0].InScope);
        Assert.Equal(new ScopeEntry("10.2.0.254/32", 9), groups[0].OutScope[1]);
        Assert.Equal(["*.example.com", "*.alphasoc.net", "google.com"], groups[0].TrustedDomains.Select(e => e.Text));
        Assert.Equal((2, 13), (groups[0].Line, groups[1].Line - 1));
    }

    [Theory]
    [InlineData("groups:\n  a:\n    in_scope: [10.0.0.1]", "scope.yml:3: in_scope: expected a network in CIDR form; one address is written 10.0.0.1/32; found \"10.0.0.1\"")]
    [InlineData("groups:\n  a:\n    in_scope: ['fe80::1']", "scope.yml:3: in_scope: expected a network in CIDR form; one address is written fe80::1/128; found \"fe80::1\"")]
    [InlineData("groups:\n  a:\n    trusted_ips:\n    - 10.0.0.0/33", "scope.yml:4: trusted_ips: expected a network in CIDR form, such as 10.0.0.0/8 or fc00::/7; found \"10.0.0.0/33\"")]
    [InlineData("groups:\n  a:\n    out_scope: [office]", "scope.yml:3: out_scope: expected a network in CIDR form, such as 10.0.0.0/8 or fc00::/7; found \"office\"")]
    [InlineData("groups:\n  a:\n    trusted_domains: ['*']", "scope.yml:3: trusted_domains: expected a domain such as example.com or *.example.com; found \"*\"")]
    [InlineData("groups:\n  a:\n    trusted_domains: ['a.*.b']", "scope.yml:3: trusted_domains: expected a domain such as example.com or *.example.com; found \"a.*.b\"")]
    [InlineData("groups:\n  a:\n    trusted_domain: [x]", "scope.yml:3: unknown key \"trusted_domain\" in groups.a; did you mean \"trusted_domains\"?")]
    [InlineData("group:\n  a:", "scope.yml:1: unknown key \"group\"; did you mean \"groups\"?")]
    [InlineData("groups:\n  - a", "scope.yml:2: groups: expected names with keys under them")]
    [InlineData("groups:\n  a: 10.0.0.0/8", "scope.yml:2: groups.a: expected keys under it, found a value")]
    [InlineData("groups:\n  a:\n  a:", "scope.yml:3: \"a\" is set twice; first in line 2")]
    [InlineData("groups:\n  a:\n    label: [x]", "scope.yml:3: groups.a.label: expected text, found a list")]
    public void A_fault_is_told_with_its_line(string text, string fault)
    {
        Assert.Null(Parse(text, out string faults));
        Assert.Equal(fault, faults);
    }

    [Fact]
    public void A_file_without_groups_has_none_and_a_group_may_be_empty()
    {
        Assert.Empty(Parse("", out _)!);
        Assert.Empty(Parse("groups:", out _)!);
        ScopeGroupSection group = Assert.Single(Parse("groups:\n  everything:\n", out _)!);
        Assert.Equal(("everything", 0), (group.Name, group.InScope.Count));
    }

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("10.1.2.3/8", true)]
    [InlineData("0.0.0.0/0", true)]
    [InlineData("::/0", true)]
    [InlineData("2001:db8::1/64", true)]
    [InlineData("::1/129", false)]
    [InlineData("10.0.0.0/08", true)]
    [InlineData("10.0.0.0/", false)]
    [InlineData("10.0.0.0/-1", false)]
    [InlineData("10.0.0.0/+8", false)]
    [InlineData("10.0.0/8", false)]
    [InlineData("/8", false)]
    public void Networks_are_those_of_Go(string text, bool good) => Assert.Equal(good, Starts("in_scope", text));

    [Theory]
    [InlineData("example.com", true)]
    [InlineData("*.Example.COM", true)]
    [InlineData("_ldap._tcp.corp.example", true)]
    [InlineData("lan", true)]
    [InlineData("example.com.", true)]
    [InlineData("xn--bcher-kva.example", true)]
    [InlineData("bücher.example", false)]
    [InlineData("-a.example", true)]
    [InlineData("a..example", false)]
    [InlineData(".", false)]
    [InlineData("*.", false)]
    [InlineData("a b", false)]
    [InlineData("https://example.com", false)]
    public void Domains_are_names_with_an_optional_star(string text, bool good) => Assert.Equal(good, Starts("trusted_domains", text));

    /// <summary>Whether the check takes an entry; what it takes, the sensor must take too, and this throws where it does not.</summary>
    static bool Starts(string key, string text)
    {
        if (Parse($"groups:\n  a:\n    {key}:\n      - \"{text}\"\n", out _) is not { } groups) return false;
        SensorParts.ScopeOf(groups);
        return true;
    }

    [Fact]
    public void The_shipped_scope_loads_and_the_example_in_its_comments_too()
    {
        string path = ConfigTests.Shipped("scope.yml");
        var groups = ScopeFile.Load(new ScopeConfig { File = path }, out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        ScopeGroupSection group = Assert.Single(groups!);
        Assert.Equal("default", group.Name);
        Assert.Contains("fc00::/7", group.InScope.Select(e => e.Text));
        Assert.DoesNotContain("10.0.0.0/8", group.TrustedIps.Select(e => e.Text));

        string[] lines = File.ReadAllLines(path);
        Assert.All(lines, l => Assert.True(l.Length <= 80, l));
        int start = Array.IndexOf(lines, "# groups:");
        var example = Parse(string.Join('\n', lines[start..].Select(l => l.TrimStart('#').Length > 0 ? l[2..] : "")), out string exampleFaults);
        Assert.Equal("", exampleFaults);
        Assert.Equal(["office", "guests", "servers"], example!.Select(g => g.Name));
    }

    [Fact]
    public void Without_a_file_the_group_of_the_original_applies()
    {
        ScopeGroupSection group = Assert.Single(ScopeFile.Load(new ScopeConfig(), out _)!);
        Assert.Equal(("default", "Default", 4, 4, 10), (group.Name, group.Label, group.InScope.Count, group.TrustedDomains.Count, group.TrustedIps.Count));
        SensorParts.ScopeOf([group]);
    }

    [Fact]
    public void A_missing_file_says_what_to_do()
    {
        Assert.Null(ScopeFile.Load(new ScopeConfig { File = "/nowhere/scope.yml" }, out IReadOnlyList<ConfigFault> faults));
        Assert.Equal("/nowhere/scope.yml: cannot be read: no such folder; correct scope.file in the config, or remove it to use the built-in scope", Assert.Single(faults).ToString());
    }
}
