using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Nfr.Fleet;

namespace Nfr.Tests.Fleet;

/// <summary>A mosquitto of our own on loopback; ends with the test.</summary>
sealed class BrokerProcess : IDisposable
{
    public const string Program = "/usr/sbin/mosquitto";

    readonly Process _process;
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-broker-").FullName;

    /// <param name="port">0 = any that is free.</param>
    /// <param name="more">Further lines of its config.</param>
    public BrokerProcess(int port = 0, string more = "allow_anonymous true")
    {
        Port = port == 0 ? FreePort.Take() : port;
        string config = Path.Combine(_folder, "broker.conf");
        File.WriteAllText(config, $"listener {Port} 127.0.0.1\npersistence false\nlog_type error\nset_tcp_nodelay true\nuser root\nmax_queued_messages 0\n{more}\n");
        _process = Process.Start(new ProcessStartInfo(Program, ["-c", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        for (int i = 0; ; i++)
        {
            try
            {
                using var probe = new TcpClient();
                probe.Connect(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (i < 200 && !_process.HasExited)
            {
                Thread.Sleep(50);
            }
        }
    }

    public int Port { get; }

    public string Url => $"mqtt://127.0.0.1:{Port}";

    public BrokerAddress Address => BrokerAddress.Read(Url, out _)!;

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit(10_000);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
