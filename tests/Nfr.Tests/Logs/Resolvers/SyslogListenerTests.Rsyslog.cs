using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nfr.Tests.Logs;

/// <summary>Debian's own rsyslog before the listener.</summary>
public sealed partial class SyslogListenerTests
{
    const string Rsyslog = "/usr/sbin/rsyslogd";

    [InstalledTheory(Rsyslog)]
    [InlineData("udp", "RSYSLOG_TraditionalForwardFormat", "traditional")]
    [InlineData("udp", "RSYSLOG_SyslogProtocol23Format", "traditional")]
    [InlineData("tcp", "RSYSLOG_TraditionalForwardFormat", "traditional")]
    [InlineData("tcp", "RSYSLOG_SyslogProtocol23Format", "traditional")]
    [InlineData("tcp", "RSYSLOG_TraditionalForwardFormat", "octet-counted")]
    [InlineData("tcp", "RSYSLOG_SyslogProtocol23Format", "octet-counted")]
    public void What_rsyslog_forwards_of_dnsmasq_is_read_in_each_of_its_forms(string protocol, string template, string framing)
    {
        const int Queries = 40;
        string folder = Directory.CreateTempSubdirectory("nfr-rsyslog-").FullName;
        using var bed = new Bed(On());
        int port = FreePort.Take();
        File.WriteAllText(Path.Combine(folder, "rsyslog.conf"), $$"""
            global(workDirectory="{{folder}}")
            module(load="imtcp")
            input(type="imtcp" address="127.0.0.1" port="{{port}}" ruleset="on")
            ruleset(name="on") {
              action(type="omfwd" target="127.0.0.1" port="{{(protocol == "udp" ? bed.UdpPort : bed.TcpPort)}}" protocol="{{protocol}}" template="{{template}}" TCP_Framing="{{framing}}")
            }

            """);
        ProcessStartInfo start = new(Rsyslog) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in new[] { "-n", "-f", Path.Combine(folder, "rsyslog.conf"), "-i", Path.Combine(folder, "pid") }) start.ArgumentList.Add(argument);
        using Process rsyslog = Process.Start(start)!;
        try
        {
            using Socket feed = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Until(() => Connects(feed, port), "rsyslogd listens");
            var lines = new StringBuilder();
            for (int i = 0; i < Queries; i++)
            {
                lines.Append(CultureInfo.InvariantCulture, $"<30>Nov  2 15:04:{i:00} ns1 dnsmasq[42]: {i + 1} 10.0.0.1/{5000 + i} query[A] n{i}.test from 10.0.0.1\n");
                lines.Append(CultureInfo.InvariantCulture, $"<30>Nov  2 15:04:{i:00} ns1 dnsmasq[42]: {i + 1} 10.0.0.1/{5000 + i} forwarded n{i}.test to 192.0.2.53\n");
                lines.Append(CultureInfo.InvariantCulture, $"<30>Nov  2 15:04:{i:00} ns1 dnsmasq[42]: {i + 1} 10.0.0.1/{5000 + i} reply n{i}.test is {(i % 2 == 0 ? "192.0.2.9" : "NXDOMAIN")}\n");
            }
            feed.Send(Encoding.Latin1.GetBytes(lines.ToString()));
            bed.Names_are([.. Enumerable.Range(0, Queries).Select(i => $"n{i}.test {(i % 2 == 0 ? 0 : 3)}")]);
            Until(() => bed.Counters().Lines == 3 * Queries, "all lines");
            Assert.Equal((0, 0), (bed.Counters().Skipped, bed.Counters().Refused));
        }
        finally
        {
            rsyslog.Kill();
            rsyslog.WaitForExit();
            Directory.Delete(folder, recursive: true);
        }
    }

    static bool Connects(Socket socket, int port)
    {
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
