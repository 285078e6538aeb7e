using System.Globalization;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Logs.Suricata;
using Nfr.Tests.Logs.Suricata;

namespace Nfr.Tests.Logs.Follow;

/// <summary>What the lines of a log say that holds behind a rotation, and behind a restart.</summary>
public sealed class HandedOnTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-handed-").FullName;

    string Log => Path.Combine(_folder, "eve.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static string Eve(int id, int second, bool answer) => string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"2026-03-01T10:00:{second:00}.000000+0000\",\"flow_id\":{id},\"event_type\":\"dns\",\"src_ip\":\"10.0.0.5\",\"src_port\":40000,\"dest_ip\":\"10.0.0.53\",\"dest_port\":53,\"proto\":\"UDP\",\"dns\":{{\"version\":2,\"type\":\"{(answer ? "answer" : "query")}\",\"id\":{id},\"rrname\":\"d{id}.example\",\"rrtype\":\"A\"{(answer ? ",\"rcode\":\"NOERROR\"" : "")}}}}}\n");

    static string Unbound(int id, int second, bool answer) => string.Create(CultureInfo.InvariantCulture, $"[{1_700_000_000 + second}] unbound[12:0] info: 10.0.0.1 d{id}.example. A IN{(answer ? " NOERROR 0.012000 0 87" : "")}\n");

    static readonly TheoryData<string, bool, bool> s_ways = [];

    public static TheoryData<string, bool, bool> Ways
    {
        get
        {
            if (s_ways.Count > 0) return s_ways;
            foreach (string format in new[] { "suricata", "unbound", "auto" })
            {
                foreach (bool rotated in new[] { true, false })
                {
                    foreach (bool killed in new[] { true, false }) s_ways.Add(format, rotated, killed);
                }
            }
            return s_ways;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void An_answer_whose_query_went_out_alone_is_no_event_behind_a_rotation_or_a_restart(string format, bool rotated, bool killed)
    {
        Func<int, int, bool, string> line = format == "unbound" ? Unbound : Eve;
        using var follower = new Follower(Log, parser: () => format switch
        {
            "suricata" => new EveParser(new LineOptions()),
            "unbound" => new UnboundParser(new LineOptions()),
            _ => new AutoParser(new LineOptions()),
        });
        File.WriteAllText(Log, line(1, 0, false) + line(1, 0, true) + line(2, 1, false));
        // What waits goes out after a while.
        follower.Settle();
        Assert.Equal(2, follower.Spooled.Count);
        if (killed) follower.Kill();
        if (rotated) File.Move(Log, Log + ".1");
        File.AppendAllText(Log, line(2, 2, true) + line(3, 3, false) + line(3, 3, true));
        follower.Settle();
        Assert.Equal(["d1", "d2", "d3"], follower.Spooled.Select(l => l[..2]));
    }

    readonly struct Subjects(List<string> subjects, FileInputs inputs) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
        }

        public void OnIp(scoped in IpEvent e)
        {
        }

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e) => subjects.Add(System.Text.Encoding.UTF8.GetString(e.Subject));

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }

        public void OnMark(in InputMark mark) => inputs.Logs[mark.Input].Accept(mark);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Handshakes_have_their_certificates_whatever_is_named_first_and_after_a_restart(bool oneItem)
    {
        string ssl = Path.Combine(_folder, "ssl.log"), x509 = Path.Combine(_folder, "x509.log");
        const int Certificates = 12_000;
        // More than a turn's share, and the last of them are asked for.
        File.WriteAllText(x509, "#separator \\x09\n#path\tx509\n#fields\tts\tfingerprint\tcertificate.subject\n" + string.Concat(Enumerable.Range(0, Certificates).Select(i => $"1700000000.5\tfp{i:000000}\tCN=host{i:000000}.example\n")));
        File.WriteAllText(ssl, "#separator \\x09\n#path\tssl\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tcert_chain_fps\n" + Handshake(Certificates - 1));
        Assert.True(new FileInfo(x509).Length > 300_000);
        string[] paths = oneItem ? [_folder] : [ssl, x509];
        var positions = new string?[paths.Length];
        List<string> subjects = [];
        for (int life = 0; life < 3; life++)
        {
            var time = new ManualTime();
            var options = new LineOptions();
            var ring = new EventRing(grouped: true);
            var outlet = new LogOutlet(ring, TimeSpan.Zero, CancellationToken.None);
            using var inputs = new FileInputs([.. paths.Select((p, i) => new FollowOptions { Number = i, Path = p, UseInotify = false, Parser = () => new ZeekParser(options), Position = positions[i] })], _ => { }, time);
            inputs.Open(outlet);
            var sink = new Subjects(subjects, inputs);
            if (life > 0) File.AppendAllText(ssl, Handshake(Certificates - 1 - life));
            for (int i = 0; i < 40; i++)
            {
                time.Advance(TimeSpan.FromMilliseconds(250));
                inputs.Step();
                while (ring.Read(ref sink, 256) > 0)
                {
                }
            }
            for (int i = 0; i < paths.Length; i++) positions[i] = inputs.Logs[i].Position() ?? positions[i];
        }
        Assert.Equal(Enumerable.Range(0, 3).Select(i => $"CN=host{Certificates - 1 - i:000000}.example"), subjects);

        static string Handshake(int certificate) => $"1700000001.5\t10.0.0.1\t40000\t192.0.2.1\t443\tfp{certificate:000000}\n";
    }
}
