using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// What leaves by SSH and FTP, told by the content whatever the port, summed by client and destination over a day. A long flow is told in slices, so the alert comes while
/// it runs. SSH on a port of another protocol that carries data is no mistake of anybody.
/// </summary>
sealed class TransferVolume(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "transfer_volume";
    /// <summary>200 KB. Full: the pair unused longest that has sent little goes first.</summary>
    internal const int MaxPairs = 1 << 11;

    struct Sum
    {
        public long FirstTick;
        public long BytesOut;
        public long BytesIn;
        public int Flows;
        public ushort Port;
    }

    readonly LruTable<Sum> _sums = new(MaxPairs);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override long Evicted => _sums.Evicted;
    public override int Tracked => _sums.Count;

    public override int OnIp(scoped in IpEvent e)
    {
        bool ssh = e.App == App.Ssh, ftp = e.App is App.Ftp or App.FtpData;
        if ((!ssh && !ftp) || !isHome(e.Context.Source) || isHome(e.Context.Destination)) return 0;
        ulong key = Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination, ssh ? 1u : 2u));
        int index = _sums.GetOrAdd(key, out bool added);
        ref Sum sum = ref _sums[index];
        if (added || e.Context.Tick - sum.FirstTick > thresholds.TransferWindow) sum = new Sum { FirstTick = e.Context.Tick };
        sum.BytesOut += e.PayloadOut;
        sum.BytesIn += e.PayloadIn;
        bool goesOn = (e.Notes & FlowNotes.ActiveTimeout) != 0;
        if (!goesOn) sum.Flows++;
        ushort port = e.Context.DestinationPort;
        // A pair's oddest port counts: an exfiltration does not become ordinary by a log-in on 22 beside it.
        if (ssh && (sum.Port == 0 || ServicePorts.IsOfSsh(sum.Port) || ServicePorts.IsTaken(port))) sum.Port = port;
        else if (ftp) sum.Port = port;
        if (sum.BytesOut >= thresholds.SshMasqueradeBytes) _sums.Protect(index);

        bool posing = ssh && !ServicePorts.IsOfSsh(sum.Port) && ServicePorts.IsTaken(sum.Port), unusual = ssh && !posing && !ServicePorts.IsOfSsh(sum.Port);
        (int severity, long limit) = Ladder(sum.BytesOut, ftp, posing, unusual);
        ulong finding = Mix.Of(key, (ulong)Detectors.TransferVolume);
        if (severity == 0)
        {
            if (sum.BytesOut >= thresholds.SshMasqueradeBytes) findings.Keep(finding, in e);
            return 0;
        }
        if (!findings.IsDue(finding, severity, out _))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string client = e.Context.Source.ToString(), server = e.Context.Destination.ToString(), protocol = ftp ? "FTP" : "SSH";
        AlertThreat threat = (ftp ? Threats.HighVolumeFtp : Threats.HighVolumeSsh) with { Severity = severity };
        string manner = posing ? $" on port {sum.Port}, which is another protocol's" : unusual ? $" on the uncommon port {sum.Port}" : "";
        findings.Raise(in e, finding, new Finding(Name, $"{client} {server} {protocol}", threat, posing || unusual ? ["unusual_port"] : [],
            $"{client} sent {sum.BytesOut / 1e6:0.0} MB to {server} by {protocol}{manner} within {(findings.Now - sum.FirstTick) / 60e9:0} min.",
            [new("bytesOut", sum.BytesOut, limit)],
            [
                new("bytesIn", sum.BytesIn), new("flows", sum.Flows + (goesOn ? 1 : 0)), new("port", sum.Port), new("windowSeconds", thresholds.TransferWindow / 1e9),
                new("clientSoftware", 0, System.Text.Encoding.UTF8.GetString(e.ClientSoftware)),
            ],
            sum.Flows + (goesOn ? 1 : 0)));
        return severity;
    }

    (int Severity, long Limit) Ladder(long bytes, bool ftp, bool posing, bool unusual)
    {
        if (ftp) return bytes >= thresholds.FtpBytes ? (3, thresholds.FtpBytes) : default;
        if (posing && bytes >= thresholds.SshMasqueradeBytes) return (4, thresholds.SshMasqueradeBytes);
        if (unusual && bytes >= thresholds.SshUnusualPortBytes) return (3, thresholds.SshUnusualPortBytes);
        if (bytes >= thresholds.SshHighBytes) return (3, thresholds.SshHighBytes);
        return bytes >= thresholds.SshBytes ? (1, thresholds.SshBytes) : default;
    }
}
