using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.Versioning;
using Nfr.Tests;
using Xunit.Abstractions;

namespace Nfr.Faults.Fleet;

/// <summary>Needs the broker, and a right to mount another /etc/hosts for a child of ours.</summary>
sealed class OwnHostsFactAttribute : FactAttribute
{
    public OwnHostsFactAttribute() => Skip = MqttBroker.WhyNot ?? WhyNot;

    static string? WhyNot { get; } = Try();

    static string? Try()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/unshare")) return "needs unshare";
        using Process probe = Process.Start(new ProcessStartInfo("/usr/bin/unshare", ["-m", "sh", "-c", "mount --bind /etc/hosts /etc/hosts"]) { RedirectStandardError = true })!;
        probe.WaitForExit();
        return probe.ExitCode == 0 ? null : "needs the right to mount (root)";
    }
}

/// <summary>A broker whose name has two addresses, the first of which never answers.</summary>
[SupportedOSPlatform("linux")]
public sealed class TwoAddressesTests(ITestOutputHelper output) : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-hosts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>What the link says, and after how long.</summary>
    (string Said, TimeSpan Took) Link(MqttCertificates certificates, (string Certificate, string Key) own)
    {
        int port = FreePort.Take();
        using MqttBroker broker = new MqttBroker($"listener {port} 127.0.0.2\ncertfile {own.Certificate}\nkeyfile {own.Key}").Start();
        // The resolver puts it first: it is nearer to our own address (RFC 6724, 6, rule 9).
        using var hole = new BlackHole(IPAddress.Loopback, port);
        string hosts = Path.Combine(_folder, "hosts");
        File.WriteAllText(hosts, $"127.0.0.1 localhost {MqttCertificates.TwofoldName}\n127.0.0.2 {MqttCertificates.TwofoldName}\n");
        var start = new ProcessStartInfo("/usr/bin/unshare",
            ["-m", "sh", "-c", "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"", "sh", hosts, "dotnet", "exec", typeof(LinkChild).Assembly.Location, "fleet", port.ToString(CultureInfo.InvariantCulture), certificates.RootFile])
        {
            RedirectStandardOutput = true,
        };
        using Process child = Process.Start(start)!;
        string[] said = child.StandardOutput.ReadToEnd().Trim().Split('|');
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
        output.WriteLine(string.Join(" after ms ", said));
        return (said[0], TimeSpan.FromMilliseconds(double.Parse(said[1], CultureInfo.InvariantCulture)));
    }

    [OwnHostsFact]
    public void The_address_that_answers_is_spoken_to_and_its_certificate_held_against_the_name()
    {
        using var certificates = new MqttCertificates();
        (string said, TimeSpan took) = Link(certificates, certificates.Named);
        Assert.Equal("connected", said);
        // The kernel alone tries the first one for 127 s.
        Assert.True(took < TimeSpan.FromSeconds(60), $"{took}");
    }

    [OwnHostsFact]
    public void A_certificate_for_another_name_is_refused_although_its_address_answers()
    {
        using var certificates = new MqttCertificates();
        (string said, _) = Link(certificates, certificates.Elsewhere);
        Assert.Contains($"not for {MqttCertificates.TwofoldName} but for broker.elsewhere.example", said, StringComparison.Ordinal);
    }
}
