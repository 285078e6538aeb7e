using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

public sealed class ScopeTests
{
    static ScopeGroup Group(string name, string[]? inScope = null, string[]? outScope = null, string[]? domains = null, string[]? ips = null) => new()
    {
        Name = name,
        Label = "Label of " + name,
        InScope = Make.Prefixes(inScope ?? []),
        OutScope = Make.Prefixes(outScope ?? []),
        TrustedDomains = Make.Domains(domains ?? []),
        TrustedIps = Make.Prefixes(ips ?? []),
    };

    static ScopeVerdict Dns(Scope scope, string source, string query) =>
        scope.Decide(new DnsEvent { Context = Make.Context(source), Query = Encoding.ASCII.GetBytes(query) });

    static ScopeVerdict Ip(Scope scope, string source, string destination) => scope.Decide(new IpEvent { Context = Make.Context(source, destination) });

    static ScopeVerdict Tls(Scope scope, string source, string destination) => scope.Decide(new TlsEvent { Context = Make.Context(source, destination) });

    static ScopeVerdict Http(Scope scope, string source, string url) =>
        scope.Decide(new HttpEvent { Context = Make.Context(source), Url = Encoding.ASCII.GetBytes(url) });

    [Fact]
    public void Without_groups_everything_goes_on_even_an_event_without_a_source()
    {
        var scope = new Scope([]);
        Assert.Equal(new ScopeVerdict(ScopeReason.Accepted, -1), Dns(scope, "", ""));
        Assert.Equal(new ScopeVerdict(ScopeReason.Accepted, -1), Ip(scope, "8.8.8.8", "10.0.0.1"));
        Assert.Equal(new ScopeVerdict(ScopeReason.Accepted, -1), Http(scope, "8.8.8.8", ""));
        Assert.Equal(new ScopeVerdict(ScopeReason.Accepted, -1), Tls(scope, "8.8.8.8", ""));
    }

    [Fact]
    public void What_has_no_source_destination_or_name_is_refused()
    {
        var scope = new Scope([Group("all")]);
        Assert.Equal(ScopeReason.NoSource, Dns(scope, "", "a").Reason);
        Assert.Equal(ScopeReason.NoName, Dns(scope, "10.0.0.1", "").Reason);
        Assert.Equal(ScopeReason.NoSource, Ip(scope, "", "1.1.1.1").Reason);
        Assert.Equal(ScopeReason.NoDestination, Ip(scope, "10.0.0.1", "").Reason);
        Assert.Equal(ScopeReason.NoName, Http(scope, "10.0.0.1", "").Reason);
        Assert.Equal(ScopeReason.NoSource, Http(scope, "", "http://a/").Reason);
        Assert.Equal(ScopeReason.NoDestination, Tls(scope, "10.0.0.1", "").Reason);
        Assert.Equal(ScopeReason.Accepted, Dns(scope, "0.0.0.0", "a").Reason);
    }

    // "allow any ips", "allow private networks", "… with excludes", "include in one group then exclude in next group" of the original.
    [Theory]
    [InlineData("any", "10.0.0.0", true)]
    [InlineData("private", "10.0.0.0", true)]
    [InlineData("private", "192.168.0.0", true)]
    [InlineData("private", "11.0.0.0", false)]
    [InlineData("excludes", "10.0.0.0", true)]
    [InlineData("excludes", "192.168.0.0", true)]
    [InlineData("excludes", "10.1.0.0", false)]
    [InlineData("excludes", "10.2.0.0", true)]
    [InlineData("next", "10.1.0.0", true)]
    [InlineData("next", "10.1.1.0", false)]
    public void Sources_are_decided_as_the_original_decides(string groups, string source, bool expected)
    {
        var scope = new Scope(groups switch
        {
            "any" => [Group("allow any", ["0.0.0.0/0"])],
            "private" => [Group("1", ["10.0.0.0/8"]), Group("2", ["192.168.0.0/16"])],
            "excludes" => [Group("1", ["10.0.0.0/8"], ["10.1.0.0/16"]), Group("2", ["192.168.0.0/16"], ["10.2.0.0/16"])],
            _ => [Group("1", ["10.0.0.0/8"]), Group("2", ["10.1.0.0/16"], ["10.1.1.0/24"])],
        });
        Assert.Equal(expected, Dns(scope, source, "a").IsAccepted);
        Assert.Equal(expected, Ip(scope, source, "8.8.8.8").IsAccepted);
        Assert.Equal(expected, Http(scope, source, "http://a/").IsAccepted);
        Assert.Equal(expected, Tls(scope, source, "8.8.8.8").IsAccepted);
    }

    // "exclude domain in multiple groups" of the original.
    [Theory]
    [InlineData("a", "10.0.0.0", false)]
    [InlineData("b", "10.0.0.0", true)]
    [InlineData("a", "10.1.0.0", true)]
    [InlineData("B", "10.1.0.0", false)]
    public void A_trusted_domain_of_one_group_says_nothing_for_another(string query, string source, bool expected)
    {
        var scope = new Scope([Group("1", ["10.0.0.0/16"], domains: ["a"]), Group("2", ["10.1.0.0/16"], domains: ["b"])]);
        Assert.Equal(expected, Dns(scope, source, query).IsAccepted);
        Assert.Equal(expected, Http(scope, source, $"http://{query}:8080/x").IsAccepted);
    }

    [Fact]
    public void Any_matching_group_can_refuse_and_is_named()
    {
        var scope = new Scope([Group("wide", ["10.0.0.0/8"]), Group("narrow", ["10.1.0.0/16"], ["10.1.1.0/24"], ["*.lan"], ["192.0.2.0/24"])]);
        Assert.Equal(new ScopeVerdict(ScopeReason.Accepted, 0), Dns(scope, "10.0.0.1", "x.lan"));
        Assert.Equal(new ScopeVerdict(ScopeReason.TrustedDomain, 1), Dns(scope, "10.1.0.1", "x.lan"));
        Assert.Equal(new ScopeVerdict(ScopeReason.TrustedIp, 1), Ip(scope, "10.1.0.1", "192.0.2.9"));
        Assert.Equal(new ScopeVerdict(ScopeReason.TrustedIp, 1), Tls(scope, "10.1.0.1", "192.0.2.9"));
        Assert.Equal(new ScopeVerdict(ScopeReason.OutScoped, 1), Dns(scope, "10.1.1.1", "x.com"));
        Assert.Equal(new ScopeVerdict(ScopeReason.OutOfScope, -1), Dns(scope, "11.0.0.1", "x.com"));
        Assert.Equal(new ScopeVerdict(ScopeReason.Accepted, 0), Ip(scope, "10.1.0.1", "198.51.100.1"));
    }

    [Fact]
    public void The_resolver_and_the_web_server_are_never_considered()
    {
        var scope = new Scope([Group("g", ["10.0.0.0/8"], ips: ["1.1.1.1/32"])]);
        Assert.True(Dns(scope, "10.0.0.1", "x.com").IsAccepted);
        Assert.True(Http(scope, "10.0.0.1", "http://x.com/").IsAccepted);
        Assert.False(Ip(scope, "10.0.0.1", "1.1.1.1").IsAccepted);
    }

    [Fact]
    public void Written_in_upper_case_and_with_a_trailing_dot_is_trusted_all_the_same()
    {
        var scope = new Scope([Group("g", domains: ["*.CORP.Example."])]);
        Assert.False(Dns(scope, "10.0.0.1", "Mail.corp.EXAMPLE.").IsAccepted);
        Assert.False(Http(scope, "10.0.0.1", "http://mail.corp.example./").IsAccepted);
    }

    [Theory]
    [InlineData("10.1.1.1", "x.com", "8.8.8.8", true, true)]
    [InlineData("172.31.0.1", "host.lan", "8.8.8.8", false, true)]
    [InlineData("192.168.1.1", "4.3.2.1.in-addr.arpa", "224.0.0.251", false, false)]
    [InlineData("fd00::1", "a.internal", "fe80::1", false, false)]
    [InlineData("fd00::1", "x.com", "2001:db8::1", true, true)]
    [InlineData("8.8.8.8", "x.com", "10.0.0.1", false, false)]
    public void The_default_group_is_the_originals(string source, string query, string destination, bool dns, bool ip)
    {
        Assert.Equal(dns, Dns(Scope.Default, source, query).IsAccepted);
        Assert.Equal(ip, Ip(Scope.Default, source, destination).IsAccepted);
    }

    [Fact]
    public void Groups_of_a_source_are_all_that_hold_it()
    {
        var scope = new Scope([Group("a", ["10.0.0.0/8"]), Group("b", ["10.1.0.0/16"], ["10.1.1.0/24"]), Group("c"), Group("d", ["192.168.0.0/16"])]);
        Assert.Equal(["a", "b", "c"], scope.GroupsOf(Make.Ip("10.1.0.1")).Select(g => g.Label));
        Assert.Equal(["a", "c"], scope.GroupsOf(Make.Ip("10.1.1.1")).Select(g => g.Label));
        Assert.Equal(new AlertGroup("c", "Label of c"), Assert.Single(scope.GroupsOf(Make.Ip("2001:db8::1"))));
        Assert.Empty(new Scope([]).GroupsOf(Make.Ip("10.0.0.1")));
    }

    [Fact]
    public void Home_is_what_in_scope_says_and_private_space_where_it_says_everyone()
    {
        var own = new Scope([Group("a", ["198.51.100.0/24"], ["198.51.100.1/32"])]);
        Assert.True(own.IsHome(Make.Ip("198.51.100.1")));
        Assert.False(own.IsHome(Make.Ip("10.0.0.1")));
        foreach (Scope everyone in (Scope[])[new([]), new([Group("a")]), new([Group("a", ["0.0.0.0/0", "::/0"])])])
        {
            Assert.True(everyone.IsHome(Make.Ip("10.0.0.1")));
            Assert.True(everyone.IsHome(Make.Ip("169.254.1.1")));
            Assert.True(everyone.IsHome(Make.Ip("fe80::1")));
            Assert.True(everyone.IsHome(Make.Ip("fd00::1")));
            Assert.True(everyone.IsHome(Make.Ip("::1")));
            Assert.False(everyone.IsHome(Make.Ip("8.8.8.8")));
        }
    }

    [Fact]
    public void Decisions_equal_those_of_a_plain_reading_of_the_rules()
    {
        var random = new Random(5);
        for (int round = 0; round < 100; round++)
        {
            var groups = new List<ScopeGroup>();
            // Beyond 64 groups a set takes a second word.
            for (int g = round % 10 == 0 ? 70 + random.Next(80) : random.Next(5); g >= 0; g--)
            {
                groups.Add(new ScopeGroup
                {
                    Name = "g" + g,
                    InScope = Some(random, 3, IpPrefixTests.RandomPrefix),
                    OutScope = Some(random, 2, IpPrefixTests.RandomPrefix),
                    TrustedIps = Some(random, 2, IpPrefixTests.RandomPrefix),
                    TrustedDomains = Some(random, 2, DomainTests.RandomPattern),
                });
            }
            var scope = new Scope(groups);
            for (int i = 0; i < 200; i++)
            {
                Address source = IpPrefixTests.RandomAddress(random), destination = IpPrefixTests.RandomAddress(random);
                if (source == default || destination == default) continue;
                string name = DomainTests.RandomName(random, 3);
                var context = new EventContext { Source = source, Destination = destination };
                byte[] query = Encoding.ASCII.GetBytes(name), url = Encoding.ASCII.GetBytes($"http://{name}/");
                ScopeVerdict byName = Plain(groups, source, g => g.TrustedDomains.Any(d => DomainTests.Matches(d, name)), ScopeReason.TrustedDomain);
                ScopeVerdict byAddress = Plain(groups, source, g => g.TrustedIps.Any(p => p.Contains(destination)), ScopeReason.TrustedIp);
                Assert.Equal(byName, scope.Decide(new DnsEvent { Context = context, Query = query }));
                Assert.Equal(byName, scope.Decide(new HttpEvent { Context = context, Url = url }));
                Assert.Equal(byAddress, scope.Decide(new IpEvent { Context = context }));
                Assert.Equal(byAddress, scope.Decide(new TlsEvent { Context = context }));
                Assert.Equal(
                    groups.Where(g => Holds(g, source) && !g.OutScope.Any(p => p.Contains(source))).Select(g => g.Name),
                    scope.GroupsOf(source).Select(g => g.Label));
            }
        }
    }

    static bool Holds(ScopeGroup group, Address source) => group.InScope.Count == 0 || group.InScope.Any(p => p.Contains(source));

    static ScopeVerdict Plain(List<ScopeGroup> groups, Address source, Func<ScopeGroup, bool> trusts, ScopeReason trusted)
    {
        int accepted = -1;
        for (int g = 0; g < groups.Count; g++)
        {
            if (!Holds(groups[g], source)) continue;
            if (groups[g].OutScope.Any(p => p.Contains(source))) return new ScopeVerdict(ScopeReason.OutScoped, g);
            if (trusts(groups[g])) return new ScopeVerdict(trusted, g);
            if (accepted < 0) accepted = g;
        }
        return new ScopeVerdict(accepted < 0 ? ScopeReason.OutOfScope : ScopeReason.Accepted, accepted);
    }

    static List<T> Some<T>(Random random, int most, Func<Random, T> make) => [.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => make(random))];

    [Fact]
    public void A_decision_allocates_nothing()
    {
        Scope scope = Scope.Default;
        byte[] query = "www.Example.com"u8.ToArray(), url = "http://www.example.com:8080/a?b=c"u8.ToArray();
        int decided = 0, accepted = 0;
        Assert.Equal(0, Allocation.Of(() =>
        {
            decided += 4;
            if (scope.Decide(new DnsEvent { Context = Make.Context(), Query = query }).IsAccepted) accepted++;
            if (scope.Decide(new IpEvent { Context = Make.Context() }).IsAccepted) accepted++;
            if (scope.Decide(new HttpEvent { Context = Make.Context(), Url = url }).IsAccepted) accepted++;
            if (scope.Decide(new TlsEvent { Context = Make.Context() }).IsAccepted && scope.IsHome(Make.Context().Source)) accepted++;
        }));
        Assert.Equal(decided, accepted);
    }
}
