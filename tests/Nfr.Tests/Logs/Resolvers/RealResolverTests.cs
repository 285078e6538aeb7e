using System.Globalization;
using System.Text;
using Nfr.Logs;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Logs;

/// <summary>Debian's own BIND, dnsmasq and unbound answer on loopback, and their logs say what they were asked: every query is an event, and nothing else is.</summary>
public sealed class RealResolverTests(ITestOutputHelper output)
{
    const string Named = "/usr/sbin/named", Dnsmasq = "/usr/sbin/dnsmasq", Unbound = "/usr/sbin/unbound";

    /// <summary>Over UDP and TCP, IPv4 and IPv6: names that are there, that have no such record, that are not there, and strange ones.</summary>
    static void AskAll(ResolverProcess server, bool odd)
    {
        (ushort Type, string Name)[] fixedOnes = [(1, "a.test"), (28, "a.test"), (15, "a.test"), (255, "a.test"), (1, "c.test"), (65, "a.test"), (16, "t.test"), (1, "NoSuch.Test"),
            (12, "4.3.2.1.in-addr.arpa"), (2, "."), (65280, "x.test"), (33, "_sip._udp.a.test")];
        foreach (bool six in (bool[])[false, true])
        {
            foreach (bool tcp in (bool[])[false, true])
            {
                foreach ((ushort type, string name) in fixedOnes) server.Ask(name, type, six, tcp);
                for (int i = 0; i < 25; i++) server.Ask($"n{i}.{new string('x', (2 * i) + 1)}.test", (ushort)(i % 2 == 0 ? 1 : 28), six, tcp);
            }
            if (!odd) continue;
            server.Ask("a\\032b\\.\\001.te(\\\\", "\u0005a b.\u0001\u0004te(\\", 1, six, false);
            server.Ask("\\255@$;\".test", "\u0005\u00FF@$;\"\u0004test", 1, six, false);
        }
    }

    /// <summary>Read as a follower does; whole lines. The events, without those for the name that waited for it to listen.</summary>
    static string[] EventsOf(LogFormat format, string path, Func<string, string> form, int wanted)
    {
        var bed = new ResolverBed(format, TimeZoneInfo.Local.Id);
        bed.Time.Utc = DateTimeOffset.UtcNow;
        foreach (string line in File.ReadAllText(path, Encoding.Latin1).Split('\n')) bed.Read(line);
        bed.Release();
        Assert.DoesNotContain(bed.Verdicts, v => v.IsSkip());
        // Within the hour: the year, the zone and the form of its time are right.
        Assert.All(bed.Events, e => Assert.True(Math.Abs((DateTimeOffset.Parse(e[..e.IndexOf(' ')] + "Z", CultureInfo.InvariantCulture) - bed.Time.Utc).TotalMinutes) < 60, e));
        string[] events = [.. bed.Events.Where(e => !e.Contains(" ready.test ", StringComparison.Ordinal)).Select(e => form(e[(e.IndexOf(' ') + 1)..]))];
        Assert.True(events.Length >= Math.Min(100, wanted), $"only {events.Length} events");
        return events;
    }

    static string TypeOf(ushort type) => Encoding.UTF8.GetString(DnsTypes.Name(type, new byte[16]));

    /// <summary>Fields of the bed's line: 0 client:port, 1 server/protocol, 2 name, 3 type, 4 code.</summary>
    static string Fields(string line, params int[] fields)
    {
        string[] all = line.Split(' ');
        return string.Join(' ', fields.Select(f => all[f]));
    }

    [InstalledFact(Named)]
    public void All_that_BIND_was_asked_is_read_from_each_of_its_channels()
    {
        using var server = new ResolverProcess(Named);
        File.WriteAllText(server.At("test.zone"), "$TTL 60\n@ SOA ns root 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\na A 192.0.2.1\na AAAA 2001:db8::1\nc CNAME a\nt TXT hello\n");
        File.WriteAllText(server.At("named.conf"), $$"""
            options { directory "{{server.Folder}}"; pid-file none; session-keyfile none; lock-file none; managed-keys-directory "{{server.Folder}}"; recursion no; dnssec-validation no;
              querylog yes; empty-zones-enable no; notify no; listen-on port {{server.Port}} { 127.0.0.1; }; listen-on-v6 port {{server.Port}} { ::1; }; };
            controls { };
            logging {
              channel all { file "{{server.At("all.log")}}"; print-time yes; print-category yes; print-severity yes; };
              channel iso { file "{{server.At("iso.log")}}"; print-time iso8601; print-severity yes; severity dynamic; };
              channel utc { file "{{server.At("utc.log")}}"; print-time iso8601-utc; print-category yes; };
              channel bare { file "{{server.At("bare.log")}}"; print-time no; };
              category default { all; iso; utc; }; category queries { all; iso; utc; bare; };
            };
            view "inside" { zone "test" { type primary; file "{{server.At("test.zone")}}"; }; };

            """);
        string[] rights = Environment.IsPrivilegedProcess ? ["-u", "nobody"] : [];
        server.Start(["-f", "-n", "1", "-c", server.At("named.conf"), .. rights]);
        AskAll(server, odd: true);
        server.Stop();

        string[] expected = [.. server.Asked.Select(a => $"{a.Client.Address}:{a.Client.Port} {a.Client.Address}/{(a.Tcp ? "tcp" : "udp")} {a.Name} {TypeOf(a.Type)} -1").Order(StringComparer.Ordinal)];
        foreach (string channel in (string[])["all", "iso", "utc", "bare"])
        {
            string[] events = EventsOf(LogFormat.Bind, server.At(channel + ".log"), e => Fields(e, 0, 1, 2, 3, 4), expected.Length);
            Assert.Equal(expected, events.Order(StringComparer.Ordinal));
            output.WriteLine($"BIND, channel {channel}: {events.Length} of {expected.Length} queries");
        }
    }

    [InstalledTheory(Dnsmasq)]
    [InlineData("log-queries")]
    [InlineData("log-queries=extra")]
    public void All_that_dnsmasq_was_asked_is_read_with_its_answers(string how)
    {
        using var server = new ResolverProcess(Dnsmasq);
        File.WriteAllText(server.At("hosts"), "192.0.2.7 n0.x.test\n2001:db8::7 n1.xxx.test\n");
        File.WriteAllText(server.At("dnsmasq.conf"), $"""
            port={server.Port}
            listen-address=127.0.0.1,::1
            bind-interfaces
            no-resolv
            no-hosts
            addn-hosts={server.At("hosts")}
            keep-in-foreground
            pid-file={server.At("pid")}
            log-facility={server.At("log")}
            {how}
            host-record=a.test,192.0.2.1,2001:db8::1
            cname=c.test,a.test
            txt-record=t.test,hello
            ptr-record=4.3.2.1.in-addr.arpa,a.test
            local=/test/
            user={(Environment.IsPrivilegedProcess ? "nobody" : "")}

            """);
        server.Start("-C", server.At("dnsmasq.conf"));
        AskAll(server, odd: false);
        server.Stop();

        bool extra = how.EndsWith("extra", StringComparison.Ordinal);
        // Without serial numbers, no port is said, and "reply error is REFUSED" not whose.
        string[] expected = [.. server.Asked.Select(a => $"{a.Client.Address}:{(extra ? a.Client.Port : 0)} {a.Name} {TypeOf(a.Type)} {(extra || a.Code is 0 or 3 ? a.Code : -1)}").Order(StringComparer.Ordinal)];
        string[] events = EventsOf(LogFormat.Dnsmasq, server.At("log"), e => Fields(e, 0, 2, 3, 4), expected.Length);
        Assert.Equal(expected, events.Order(StringComparer.Ordinal));
        output.WriteLine($"dnsmasq, {how}: {events.Length} of {expected.Length} queries, codes {string.Join(' ', server.Asked.CountBy(a => a.Code))}");
    }

    [InstalledTheory(Unbound)]
    [InlineData("log-queries: yes", false)]
    [InlineData("log-replies: yes", true)]
    [InlineData("log-queries: yes\n  log-replies: yes\n  log-local-actions: yes\n  log-tag-queryreply: yes", true)]
    [InlineData("log-queries: yes\n  log-replies: yes\n  log-time-ascii: yes", true)]
    public void All_that_unbound_was_asked_is_read_with_its_answers(string how, bool replies)
    {
        using var server = new ResolverProcess(Unbound);
        File.WriteAllText(server.At("unbound.conf"), $"""
            server:
              interface: 127.0.0.1@{server.Port}
              interface: ::1@{server.Port}
              port: {server.Port}
              username: "{(Environment.IsPrivilegedProcess ? "nobody" : "")}"
              chroot: ""
              directory: "{server.Folder}"
              pidfile: "{server.At("pid")}"
              logfile: "{server.At("log")}"
              use-syslog: no
              module-config: "iterator"
              access-control: 127.0.0.0/8 allow
              access-control: ::1 allow
              local-zone: "test." static
              local-zone: "." refuse
              local-data: "a.test. A 192.0.2.1"
              local-data: "a.test. AAAA 2001:db8::1"
              local-data: "t.test. TXT hello"
              {how}
            remote-control:
              control-enable: no

            """);
        server.Start("-d", "-c", server.At("unbound.conf"));
        AskAll(server, odd: false);
        server.Stop();

        string[] expected = [.. server.Asked.Select(a => $"{a.Client.Address} {a.Name} {TypeOf(a.Type)} {(replies ? a.Code : -1)}").Order(StringComparer.Ordinal)];
        string[] events = EventsOf(LogFormat.Unbound, server.At("log"), e => { string fields = Fields(e, 0, 2, 3, 4); int blank = fields.IndexOf(' ', StringComparison.Ordinal), port = fields.LastIndexOf(':', blank); return fields[..port] + fields[blank..]; }, expected.Length);
        Assert.Equal(expected, events.Order(StringComparer.Ordinal));
        output.WriteLine($"unbound, {how.ReplaceLineEndings(" ")}: {events.Length} of {expected.Length} queries, codes {string.Join(' ', server.Asked.CountBy(a => a.Code))}");
    }
}
