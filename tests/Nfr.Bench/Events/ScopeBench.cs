using BenchmarkDotNet.Attributes;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Bench.Events;

/// <summary>A decision per event: the default group, and a scope of 100 groups with 2,000 prefixes and 2,000 domains.</summary>
[MemoryDiagnoser]
public class ScopeBench
{
    readonly Scope _large = Large();
    readonly EventContext _context = new() { Source = Address.FromV4(0x0A010203), Destination = Address.FromV4(0x01010101), Protocol = 6 };

    static Scope Large()
    {
        var groups = new List<ScopeGroup>();
        for (int g = 0; g < 100; g++)
        {
            groups.Add(new ScopeGroup
            {
                Name = $"g{g}",
                InScope = [.. Enumerable.Range(0, 20).Select(i => IpPrefix.Of(Address.FromV4((10u << 24) | ((uint)g << 16) | ((uint)i << 8)), 24))],
                TrustedDomains = [.. Enumerable.Range(0, 20).Select(i => DomainPattern.Parse($"*.d{i}.g{g}.example"))],
            });
        }
        return new Scope(groups);
    }

    [Benchmark]
    public bool Dns_default() => Scope.Default.Decide(new DnsEvent { Context = _context, Query = "www.some-site.example.com"u8 }).IsAccepted;

    [Benchmark]
    public bool Dns_large() => _large.Decide(new DnsEvent { Context = _context, Query = "www.some-site.d7.g1.example"u8 }).IsAccepted;

    [Benchmark]
    public bool Http_default() => Scope.Default.Decide(new HttpEvent { Context = _context, Url = "http://www.example.com/a/b?c=d"u8 }).IsAccepted;

    [Benchmark]
    public bool Ip_default() => Scope.Default.Decide(new IpEvent { Context = _context }).IsAccepted;

    [Benchmark]
    public bool Ip_large() => _large.Decide(new IpEvent { Context = _context }).IsAccepted;
}
