using System.Globalization;
using Nfr.Scoring;
using Nfr.Train.Traffic;
using Nfr.Wire;

namespace Nfr.Train.Evaluation;

/// <summary>How many echoes a tunnel in ICMP may carry before it is told, and what pings are taken for one.</summary>
sealed class EchoEvaluation : IEvaluation
{
    const int Seeds = 30;

    public string Name => "echo";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Tunnels in echoes");
        var rows = new List<string[]>();
        int worst = 0;
        Tunnel("random data, 64 bytes a request", (talk, random) => talk.Say(false, EchoTalk.Random(random, 64)));
        Tunnel("random data, 200 bytes, requests and replies that differ", (talk, random) =>
        {
            talk.Say(false, EchoTalk.Random(random, 60));
            talk.Say(true, EchoTalk.Random(random, 200));
        });
        Tunnel("random data, 1,400 bytes, sent back (counted once)", (talk, random) =>
        {
            byte[] payload = EchoTalk.Random(random, 1400);
            talk.Say(false, payload);
            talk.Say(true, payload);
        }, of: 2);
        Tunnel("the same over IPv6", (talk, random) =>
        {
            byte[] payload = EchoTalk.Random(random, 1400);
            talk.Say(false, payload, six: true);
            talk.Say(true, payload, six: true);
        }, of: 2);
        Tunnel("IP packets behind a header of 4 bytes", (talk, random) => talk.Say(false, [0, 0, 0, 0, .. Frames.IPv4("10.9.0.1", "10.9.0.2", IPProtocol.Icmp, Frames.Icmp(8, 0))]));
        Tunnel("64 bytes of data a second", (talk, random) => talk.Say(false, EchoTalk.Random(random, 64), afterSeconds: 1));
        int at = worst;
        Tunnel("a shell's lines, asked for by empty polls (counted without these)", (talk, random) =>
        {
            for (int poll = 0; poll < 5; poll++) talk.Say(false, []);
            talk.Say(true, EchoTalk.ShellLines[random.Next(EchoTalk.ShellLines.Length)]);
        }, of: 6);
        o.Line($"{Seeds} runs each; echoes until the alert; one that comes back as it went is the same echo.");
        o.Table(["tunnel", ">found", ">echoes, median", ">echoes, at most"], rows);
        o.Goal("icmp tunnel", "within 10 echoes", $"{at} at most", at <= 10, "made tunnels of six kinds");
        Benign(o);
        Captures(o);

        void Tunnel(string name, Action<EchoTalk, Random> step, int of = 1)
        {
            var echoes = new List<int>();
            for (int seed = 0; seed < Seeds; seed++)
            {
                using var talk = new EchoTalk();
                var random = new Random(seed);
                while (talk.Alerts.Count == 0 && talk.Echoes < 400) step(talk, random);
                if (talk.Alerts.Count > 0) echoes.Add(talk.Echoes / of);
            }
            echoes.Sort();
            worst = Math.Max(worst, echoes.Count < Seeds ? 400 : echoes[^1]);
            rows.Add([name, $"{echoes.Count} of {Seeds}", echoes.Count > 0 ? $"{echoes[echoes.Count / 2]}" : "", echoes.Count > 0 ? $"{echoes[^1]}" : ""]);
        }
    }

    static void Benign(EvaluationOutput o)
    {
        var rows = new List<string[]>();
        int alerts = 0;
        foreach (int size in new[] { 0, 8, 32, 56, 512, 1472, 8000, 65_000 })
        {
            Pings($"500 pings of {size.ToString("N0", CultureInfo.InvariantCulture)} bytes", talk =>
            {
                for (int i = 0; i < 500; i++)
                {
                    talk.Say(false, EchoTalk.Ping(i, size));
                    talk.Say(true, EchoTalk.Ping(i, size));
                }
            });
        }
        Pings("a probe for the MTU, 100 to 1,472 bytes, unanswered from 1,400", talk =>
        {
            for (int size = 100; size <= 1472; size += 7)
            {
                talk.Say(false, EchoTalk.Ping(size, size));
                if (size < 1400) talk.Say(true, EchoTalk.Ping(size, size));
            }
        });
        Pings("two pings at once, each with a filling of its own", talk =>
        {
            byte[] letters = [.. "abcdefghijklmnopqrstuvwabcdefghi"u8];
            for (int i = 0; i < 400; i++)
            {
                byte[] payload = i % 2 == 0 ? EchoTalk.Ping(i, 56) : letters;
                talk.Say(false, payload);
                talk.Say(true, payload);
            }
        });
        Pings("a monitor that marks each ping with 16 random bytes", talk =>
        {
            var random = new Random(4);
            for (int i = 0; i < 400; i++)
            {
                byte[] payload = [.. new byte[8], .. EchoTalk.Random(random, 16), .. new byte[40]];
                talk.Say(false, payload);
                talk.Say(true, payload);
            }
        });
        o.Line("What is only a ping:");
        o.Table(["pings", ">alerts"], rows);
        o.Goal("icmp tunnel", "0 on large plain pings and MTU probes", $"{alerts}", alerts == 0, $"{rows.Count} kinds of pings");

        void Pings(string name, Action<EchoTalk> what)
        {
            using var talk = new EchoTalk();
            what(talk);
            talk.End();
            alerts += talk.Alerts.Count;
            rows.Add([name, $"{talk.Alerts.Count}"]);
        }
    }

    static void Captures(EvaluationOutput o)
    {
        if (!o.TryData("pcap/icmp_tunnel", out string folder)) return;
        string[] files = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];
        int found = 0;
        foreach (string file in files)
        {
            using ScoredTraffic run = new ScoredTraffic(Detectors.IcmpTunnel).Capture(file);
            if (run.Alerts.Count == 0) continue;
            found++;
            o.Line($"{Path.GetFileName(file)}: {run.Alerts[0].Evidence!.Summary}");
        }
        o.Goal("icmp tunnel", "every capture", $"{found} of {files.Length}", found == files.Length, "pcap/icmp_tunnel");
    }
}
