using Nfr.Events;
using Nfr.Scoring;
using Nfr.Train.Traffic;

namespace Nfr.Train.Evaluation;

/// <summary>Whether what the packages of 1998 looked for is found, as packets and on captures.</summary>
sealed class OldAttackEvaluation : IEvaluation
{
    public string Name => "1998";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "What the packages of 1998 looked for");
        o.Line("Packets through decoder and scorer with all detectors and no lists (but for badhosts), until the flows' time-outs are over.");
        var rows = new List<string[]>();
        int found = 0;
        foreach ((string name, string[] threats, Action<ScoredTraffic> send) in OldAttacks.All)
        {
            using var run = new ScoredTraffic();
            send(run);
            run.Wait(90);
            Add(name, "made packets", threats, run.Alerts);
        }
        using (var run = new Simulated(lists: ("c2.txt", "203.0.113.9\n")))
        {
            run.Ip(Simulated.Outside, 443, ConnectionState.SF, 100, 100);
            Add("badhosts", "a made event", ["c2_communication"], run.Alerts);
        }
        int made = rows.Count, madeFound = found;
        o.Goal("1998 package", "each found", $"{madeFound} of {made} forms", madeFound == made, "made packets of land, smurf, icmpfrag, portscan, hostscan, manyresets, failedlogins, badhosts, badports");
        if (o.TryData("pcap", out string folder))
        {
            Captured(folder, "pcap/scan/tcp_scan.pcapng", "scan/tcp_scan.pcapng", "internal_port_scan");
            Captured(folder, "pcap/maltrail/infection_scan.pcap", "maltrail/infection_scan.pcap", "internal_port_scan");
            Captured(folder, "pcap/maltrail/stealth_scan_fin.pcap", "maltrail/stealth_scan_fin.pcap", "inbound_port_scan");
            Captured(folder, "pcap/maltrail/udp_scan.pcap", "maltrail/udp_scan.pcap", "inbound_port_scan");
            Captured(folder, "4-ndpi/synscan.pcap", "../../corpus/4-ndpi/pcaps/synscan.pcap", "outbound_port_scan");
            o.Goal("1998 package", "every capture of a scan", $"{found - madeFound} of {rows.Count - made}", found - madeFound == rows.Count - made, "pcap/scan, pcap/maltrail, corpus/4-ndpi");
        }
        o.Table(["attack", "on", "found", "alerts"], rows);

        void Captured(string folder, string name, string path, params string[] threats)
        {
            string file = Path.GetFullPath(Path.Combine(folder, path));
            if (!File.Exists(file)) return;
            using ScoredTraffic run = new ScoredTraffic().Capture(file);
            Add(threats[^1], name, threats, run.Alerts);
        }

        void Add(string name, string on, string[] threats, List<Alert> alerts)
        {
            bool hit = alerts.Any(a => threats.Contains(a.Threats[0].Id));
            if (hit) found++;
            rows.Add([name, on, hit ? "yes" : "**no**", string.Join(", ", alerts.Select(a => $"{a.Threats[0].Id} {a.Severity}").Distinct())]);
        }
    }
}
