using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nfr.Storage;
using Nfr.Tests.Capture;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Sensor;

/// <summary>A cable in a namespace of its own, a folder for one sensor's files, and the sensor at the cable's <c>near</c> end.</summary>
sealed class SensorBench : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-sensor-").FullName;
    readonly List<NfrProcess> _processes = [];
    bool _mounted;

    public SensorBench()
    {
        Directory.CreateDirectory(In("feeds"));
        Configure();
    }

    public NetworkNamespace Network { get; } = new();
    public string ConfigPath => In("config.yml");
    public string SpoolPath => In("data/spool");
    public string SocketPath => In("status.sock");

    /// <summary>status.interval of the next <see cref="Configure"/>.</summary>
    public string Interval { get; set; } = "60s";

    public string AlertsPath => In("alerts.json");

    public string In(string name) => Path.Combine(_folder, name);

    /// <summary>Writes config.yml: captures on near, keeps everything in the bench's folder.</summary>
    /// <param name="engine">Lines below engine:, two spaces in.</param>
    /// <param name="sniffer">Lines below sniffer:, four spaces in.</param>
    /// <param name="more">Further sections.</param>
    /// <param name="output">outputs.file.</param>
    public void Configure(string engine = "  host: embedded", string sniffer = "    interface: near", string more = "", string? output = null) =>
        File.WriteAllText(ConfigPath, $"""
            engine:
            {engine}
            inputs:
              sniffer:
                enabled: true
            {sniffer}
            outputs:
              file: {output ?? AlertsPath}
            scoring:
              feeds: {In("feeds")}
            data:
              dir: {In("data")}
              file: {In("nfr.data")}
            status:
              socket: {SocketPath}
              interval: {Interval}
            {more}

            """);

    public NfrProcess Start(params string[] prefix)
    {
        NfrProcess process = NfrProcess.Start(["start", "-c", ConfigPath], ["nsenter", "--net=/run/netns/" + Network.Name, .. prefix], _folder);
        _processes.Add(process);
        return process;
    }

    /// <summary>Starts, and returns when the capture is open.</summary>
    public NfrProcess Listen()
    {
        NfrProcess process = Start();
        process.Expect("capture: listening on");
        return process;
    }

    /// <summary>An engine that listens on the namespace's loopback.</summary>
    public Task<EngineServer> EngineAsync() => EngineServer.StartAsync(listener: Listener());

    /// <summary>A socket of the namespace's loopback that listens.</summary>
    public Socket Listener() => Network.Inside(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(100);
        return socket;
    });

    /// <summary>The spool as the sensor left it.</summary>
    public Spool OpenSpool() => Spool.Open(new SpoolOptions { Directory = SpoolPath }, TimeProvider.System);

    public string[] Alerts => File.Exists(AlertsPath) ? File.ReadAllLines(AlertsPath) : [];

    /// <summary>A disk of its own for what the sensor keeps.</summary>
    public string Mount(int megabytes)
    {
        Directory.CreateDirectory(In("data"));
        Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", In("data"));
        _mounted = true;
        return In("data");
    }

    static void Run(string command, params string[] arguments)
    {
        using Process process = Process.Start(command, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    public void Dispose()
    {
        foreach (NfrProcess process in _processes) process.Dispose();
        if (_mounted) Run("umount", In("data"));
        Network.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Answered DNS questions at a steady rate, each for a name of its own, until disposed.</summary>
sealed class DnsLoad : IDisposable
{
    readonly Socket _sender;
    readonly Thread _thread;
    volatile bool _stop;
    int _sent;

    /// <param name="network">Sends from its far end.</param>
    /// <param name="perSecond">Questions.</param>
    public DnsLoad(NetworkNamespace network, int perSecond)
    {
        _sender = network.Sender("far");
        _thread = new Thread(() => Run(perSecond)) { IsBackground = true, Name = "dns load" };
        _thread.Start();
    }

    /// <summary>Questions so far, with their answers.</summary>
    public int Sent => Volatile.Read(ref _sent);

    public static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"host{number}.load.example");

    public void Stop()
    {
        _stop = true;
        _thread.Join();
    }

    void Run(int perSecond)
    {
        var clock = Stopwatch.StartNew();
        while (!_stop)
        {
            long due = (long)(clock.Elapsed.TotalSeconds * perSecond);
            while (_sent < due && !_stop)
            {
                string client = $"10.1.{_sent / 200 % 200}.{1 + _sent % 200}", name = Name(_sent);
                int port = 20_000 + _sent % 40_000;
                try
                {
                    _sender.Send(Frames.Query(client, port, name, (ushort)_sent));
                    _sender.Send(Frames.Reply(client, port, name, (ushort)_sent));
                }
                catch (SocketException)
                {
                    // The cable is unplugged for a while.
                }
                Volatile.Write(ref _sent, _sent + 1);
            }
            Thread.Sleep(5);
        }
    }

    public void Dispose()
    {
        Stop();
        _sender.Dispose();
    }
}
