using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Nfr.Tests.Uplink;

/// <summary>Debian's rsyslog as a process of its own, with a config of its own, on free ports of loopback; it writes what it understood to a file.</summary>
sealed class RsyslogServer : IDisposable
{
    const string Program = "/usr/sbin/rsyslogd";

    readonly TestAuthority _authority;
    Process? _process;

    public RsyslogServer(TestAuthority authority, string certificate, string key)
    {
        _authority = authority;
        (UdpPort, TcpPort, TlsPort) = (FreePort.Take(), FreePort.Take(), FreePort.Take());
        File.WriteAllText(At("rsyslog.conf"), $$"""
            global(workDirectory="{{authority.Directory}}" maxMessageSize="64k"
              defaultNetstreamDriverCAFile="{{authority.RootFile}}" defaultNetstreamDriverCertFile="{{certificate}}" defaultNetstreamDriverKeyFile="{{key}}")
            module(load="imudp")
            module(load="imtcp")
            template(name="all" type="string" string="%pri%|%timestamp:::date-rfc3339%|%hostname%|%syslogtag%|%procid%|%msgid%|%structured-data%|%msg%\n")
            ruleset(name="keep") { action(type="omfile" file="{{At("got")}}" template="all") }
            input(type="imudp" address="127.0.0.1" port="{{UdpPort}}" ruleset="keep")
            input(type="imtcp" address="127.0.0.1" port="{{TcpPort}}" ruleset="keep")
            input(type="imtcp" address="127.0.0.1" port="{{TlsPort}}" ruleset="keep" streamdriver.name="gtls" streamdriver.mode="1" streamdriver.authmode="anon")

            """);
        Start();
    }

    /// <summary>Null when a test can use it, else why not.</summary>
    public static string? Missing =>
        !File.Exists(Program) ? "rsyslog is not installed"
        : Directory.EnumerateFiles("/usr/lib", "lmnsd_gtls.so", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 2 }).Any() ? null
        : "rsyslog-gnutls is not installed";

    public int UdpPort { get; }
    public int TcpPort { get; }
    public int TlsPort { get; }

    public string[] Lines => File.Exists(At("got")) ? File.ReadAllLines(At("got")) : [];

    public void Start()
    {
        ProcessStartInfo start = new(Program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in new[] { "-n", "-f", At("rsyslog.conf"), "-i", At("pid") }) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        // Its words, for a test that fails.
        _process.ErrorDataReceived += (_, said) => Said += said.Data + "\n";
        _process.OutputDataReceived += (_, said) => Said += said.Data + "\n";
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public string Said { get; private set; } = "";

    /// <summary>With SIGTERM, as an update does.</summary>
    public void Stop()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.True(_process.WaitForExit(UplinkBench.Limit), "rsyslogd did not stop");
        _process.Dispose();
        _process = null;
    }

    public async Task ListensAsync()
    {
        foreach (int port in new[] { TcpPort, TlsPort })
        {
            await UplinkBench.UntilAsync(() =>
            {
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    socket.Connect(IPAddress.Loopback, port);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            }, $"rsyslogd listens; it says: {Said}");
        }
    }

    public void Dispose()
    {
        if (_process is null) return;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    string At(string name) => Path.Combine(_authority.Directory, name);
}
