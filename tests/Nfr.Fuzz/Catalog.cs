namespace Nfr.Fuzz;

/// <summary>Every entrance for bytes from outside.</summary>
static class Catalog
{
    public static IReadOnlyList<Target> All { get; } =
    [
        new FrameTarget(), new FragmentTarget(), new DatagramTarget(), new StreamTarget(),
        new DhcpTarget(), new DhcpV6Target(), new NbnsTarget(), new DtlsTarget(), new SshTarget(), new RepliesTarget(),
        new DnsTarget(), new TlsTarget(), new X509Target(), new HttpTarget(), new QuicTarget(),
        new PcapTarget(), new PcapngTarget(), new ConfigTarget(), new ScopeTarget(), new EngineTarget(),
        new MsdnsTarget(), new EdgeTarget(), new GoLayoutTarget(), new FormatTarget(),
        new LinesTarget(), new EveTarget(), new ResolversTarget(), new SyslogTarget(), new ScoredTarget(), new BodyTarget(), new ListTarget(), new SuffixesTarget(),
        new ZeekTarget(), new BundleTarget(), new ManifestTarget(),
    ];
}
