using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nfr.Tests;

/// <summary>Needs Debian's mosquitto and its library; where they are absent the test says so and is left out.</summary>
sealed class BrokerFactAttribute : FactAttribute
{
    public BrokerFactAttribute() => Skip = MqttBroker.WhyNot;
}

/// <inheritdoc cref="BrokerFactAttribute"/>
sealed class BrokerTheoryAttribute : TheoryAttribute
{
    public BrokerTheoryAttribute() => Skip = MqttBroker.WhyNot;
}

/// <summary>A real mosquitto of a test's own, on loopback; keeps sessions over its restarts.</summary>
sealed class MqttBroker : IDisposable
{
    readonly string _folder = Path.Combine(Path.GetTempPath(), "nfr-broker-" + Guid.NewGuid().ToString("n")[..12]);
    readonly string _config;
    readonly string? _network;
    Process? _process;

    static string? Program => new[] { "/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto" }.FirstOrDefault(File.Exists);

    public static string? WhyNot => !OperatingSystem.IsLinux() ? "needs Linux" : Program is null ? "needs the package mosquitto" : null;

    /// <param name="options">Lines of mosquitto.conf; {folder} is the broker's own.</param>
    /// <param name="anonymous">Whoever comes is let in.</param>
    /// <param name="network">A network namespace by its name, in whose loopback it listens; null = ours.</param>
    public MqttBroker(string options = "", bool anonymous = true, string? network = null)
    {
        _network = network;
        Directory.CreateDirectory(_folder);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder, (UnixFileMode)0b111_111_111);
        Port = FreePort.Take();
        _config = Path.Combine(_folder, "mosquitto.conf");
        File.WriteAllText(_config, $"""
            listener {Port} 127.0.0.1
            allow_anonymous {(anonymous ? "true" : "false")}
            persistence true
            persistence_location {_folder}/
            max_queued_messages 0
            user root
            log_dest file {_folder}/log
            {options.Replace("{folder}", _folder, StringComparison.Ordinal)}

            """);
    }

    public int Port { get; }

    public string Folder => _folder;

    public string Log => File.Exists(_folder + "/log") ? File.ReadAllText(_folder + "/log") : "";

    /// <summary>How often it has said that it runs.</summary>
    int Runs => Log.Split(" running").Length - 1;

    public MqttBroker Start()
    {
        int runs = Runs;
        string[] words = _network is null ? [Program!, "-c", _config] : ["nsenter", "--net=/run/netns/" + _network, Program!, "-c", _config];
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            // From here nobody can connect to another namespace; it says when it listens.
            if (_network is not null && Runs > runs) return this;
            if (_network is not null && !_process.HasExited && Stopwatch.GetElapsedTime(begin).TotalSeconds < 60)
            {
                Thread.Sleep(20);
                continue;
            }
            try
            {
                using var probe = new TcpClient();
                probe.Connect("127.0.0.1", Port);
                return this;
            }
            catch (SocketException) when (!_process.HasExited && Stopwatch.GetElapsedTime(begin).TotalSeconds < 15)
            {
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>SIGTERM: it writes its sessions down.</summary>
    public void Stop()
    {
        if (_process is null) return;
        Signal("TERM");
        if (!_process.WaitForExit(10_000)) _process.Kill();
        _process.Dispose();
        _process = null;
    }

    /// <summary>SIGHUP: it reads its access list anew.</summary>
    public void Reload() => Signal("HUP");

    public void Pause() => Signal("STOP");

    public void Continue() => Signal("CONT");

    void Signal(string name)
    {
        using Process kill = Process.Start("kill", ["-" + name, _process!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>An authority that only a test trusts, a broker's certificates of it and a client's; all as PEM files.</summary>
sealed class MqttCertificates : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-mqtt-").FullName;

    public MqttCertificates()
    {
        (ECDsa key, X509Certificate2 root) = Root("Test authority");
        RootFile = Write("ca.pem", root.ExportCertificatePem());
        (_, X509Certificate2 stranger) = Root("Another authority");
        StrangerFile = Write("stranger.pem", stranger.ExportCertificatePem());
        Broker = Sign(root, key, "broker", "127.0.0.1", TimeSpan.FromDays(-1), TimeSpan.FromDays(30));
        Expired = Sign(root, key, "expired", "127.0.0.1", TimeSpan.FromDays(-60), TimeSpan.FromDays(-2));
        Elsewhere = Sign(root, key, "elsewhere", "broker.elsewhere.example", TimeSpan.FromDays(-1), TimeSpan.FromDays(30));
        Named = Sign(root, key, "named", TwofoldName, TimeSpan.FromDays(-1), TimeSpan.FromDays(30));
        Client = Sign(root, key, "client", "sensor1", TimeSpan.FromDays(-1), TimeSpan.FromDays(30));
        (ECDsa strangerKey, X509Certificate2 strangerRoot) = Root("Nobody's authority");
        Foreign = Sign(strangerRoot, strangerKey, "foreign", "sensor1", TimeSpan.FromDays(-1), TimeSpan.FromDays(30));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
    }

    public string RootFile { get; }
    public string StrangerFile { get; }
    public (string Certificate, string Key) Broker { get; }
    public (string Certificate, string Key) Expired { get; }
    public (string Certificate, string Key) Elsewhere { get; }
    /// <summary>For a name that a test gives two addresses.</summary>
    public const string TwofoldName = "twofold.example";

    public (string Certificate, string Key) Named { get; }
    public (string Certificate, string Key) Client { get; }
    public (string Certificate, string Key) Foreign { get; }

    /// <summary>Of mosquitto.conf: TLS with client certificates.</summary>
    public string Options((string Certificate, string Key) broker) => $"cafile {RootFile}\ncertfile {broker.Certificate}\nkeyfile {broker.Key}\nrequire_certificate true\nuse_identity_as_username true";

    static (ECDsa, X509Certificate2) Root(string name)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return (key, request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2)));
    }

    (string, string) Sign(X509Certificate2 root, ECDsa rootKey, string file, string name, TimeSpan from, TimeSpan to)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        if (System.Net.IPAddress.TryParse(name, out System.Net.IPAddress? address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(root, DateTimeOffset.UtcNow + from, DateTimeOffset.UtcNow + to, RandomNumberGenerator.GetBytes(8));
        return (Write(file + ".pem", signed.ExportCertificatePem()), Write(file + ".key", key.ExportPkcs8PrivateKeyPem()));
    }

    string Write(string name, string pem)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, pem);
        return path;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
