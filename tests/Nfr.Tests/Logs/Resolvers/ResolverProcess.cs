using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nfr.Tests.Logs;

/// <summary>One of Debian's own resolvers as a process of its own on a high port of loopback, with its config and logs in a folder of its own; and who asks it.</summary>
sealed class ResolverProcess : IDisposable
{
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    readonly string _program;
    readonly StringBuilder _said = new();
    Process? _process;

    /// <param name="program">"/usr/sbin/named".</param>
    public ResolverProcess(string program)
    {
        _program = program;
        Folder = Directory.CreateTempSubdirectory("nfr-resolver-").FullName;
        // It gives up its rights once it has begun.
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupWrite
                | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        }
        Port = FreePort.Take();
    }

    public string Folder { get; }
    public int Port { get; }

    /// <summary>What was asked, without what found out whether it listens: name and type, who asked from where, by what, and the code that came.</summary>
    public List<(string Name, ushort Type, IPEndPoint Client, bool Tcp, int Code)> Asked { get; } = [];

    public string At(string name) => Path.Combine(Folder, name);

    public void Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(_program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += Hear;
        _process.OutputDataReceived += Hear;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        Stopwatch waited = Stopwatch.StartNew();
        foreach (IPAddress address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            while (TryAsk(address, "\u0005ready\u0004test", 1, false, TimeSpan.FromSeconds(1)) is null)
            {
                Assert.False(_process.HasExited, $"{_program} ended: {Said}");
                Assert.True(waited.Elapsed < s_limit, $"{_program} does not answer at {address}: {Said}");
                Thread.Sleep(50);
            }
        }
    }

    string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    void Hear(object sender, DataReceivedEventArgs e)
    {
        lock (_said) _said.AppendLine(e.Data);
    }

    /// <summary>Asks for a name of labels that are given with their lengths, and remembers it by <paramref name="name"/>.</summary>
    public void Ask(string name, string labels, ushort type, bool six, bool tcp)
    {
        (IPEndPoint Client, int Code)? answered = TryAsk(six ? IPAddress.IPv6Loopback : IPAddress.Loopback, labels, type, tcp, s_limit);
        Assert.True(answered is not null, $"{_program} did not answer {name}: {Said}");
        Asked.Add((name, type, answered.Value.Client, tcp, answered.Value.Code));
    }

    public void Ask(string name, ushort type, bool six, bool tcp) =>
        Ask(name, string.Concat(name.Split('.').Where(l => l.Length > 0).Select(l => (char)l.Length + l)), type, six, tcp);

    (IPEndPoint Client, int Code)? TryAsk(IPAddress address, string labels, ushort type, bool tcp, TimeSpan wait)
    {
        byte[] question = [.. Encoding.Latin1.GetBytes(labels), 0, (byte)(type >> 8), (byte)type, 0, 1];
        byte[] message = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, .. question, 0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0];
        using var socket = new Socket(address.AddressFamily, tcp ? SocketType.Stream : SocketType.Dgram, tcp ? ProtocolType.Tcp : ProtocolType.Udp) { ReceiveTimeout = (int)wait.TotalMilliseconds };
        try
        {
            socket.Connect(address, Port);
            if (tcp)
            {
                byte[] length = new byte[2];
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)message.Length);
                socket.Send([.. length, .. message]);
            }
            else socket.Send(message);
            var client = (IPEndPoint)socket.LocalEndPoint!;
            byte[] answer = new byte[4096];
            int n = 0, head = tcp ? 2 : 0;
            do
            {
                int some = socket.Receive(answer, n, answer.Length - n, SocketFlags.None);
                if (some == 0) return null;
                n += some;
            } while (n < head + 4);
            return (client, answer[head + 3] & 0xF);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>With SIGTERM, and by its id: what it has to say is in its logs then.</summary>
    public void Stop()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.True(_process.WaitForExit(s_limit), $"{_program} did not stop");
        _process.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }
        Directory.Delete(Folder, true);
    }
}
