using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Nfr.Capture;

namespace Nfr.Tests.Capture;

/// <summary>A private network with two ends of a cable, <c>near</c> and <c>far</c>, in which nothing else speaks.</summary>
sealed class NetworkNamespace : IDisposable
{
    readonly string _name = $"nfrtest-{Guid.NewGuid().ToString("N")[..8]}";

    public NetworkNamespace()
    {
        Ip("netns", "add", _name);
        Run("ip", "netns", "exec", _name, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
        InIp("link", "add", "near", "type", "veth", "peer", "name", "far");
        InIp("link", "set", "lo", "up");
        InIp("link", "set", "near", "up");
        InIp("link", "set", "far", "up");
    }

    /// <summary>As <c>ip netns</c> knows it.</summary>
    public string Name => _name;

    /// <summary>Null when tests may make network namespaces here.</summary>
    public static string? WhyNot { get; } = Probe();

    static string? Probe()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return "needs root, for a private network namespace";
        try
        {
            new NetworkNamespace().Dispose();
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"no private network namespace can be made here: {e.Message}";
        }
    }

    public void InIp(params string[] arguments) => Ip(["-n", _name, .. arguments]);

    static void Ip(params string[] arguments) => Run("ip", arguments);

    static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command} {string.Join(' ', arguments)}: {errors.Trim()}");
    }

    /// <summary>Runs on a thread of its own inside the namespace: sockets that it opens stay there.</summary>
    public T Inside<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using SafeFileHandle file = File.OpenHandle($"/run/netns/{_name}");
                if (setns(file, 0x40000000) != 0) throw new InvalidOperationException($"setns: errno {Marshal.GetLastPInvokeError()}");
                result = work();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    public void Inside(Action work) => Inside(() =>
    {
        work();
        return 0;
    });

    /// <summary>A socket that sends whole frames out of an interface.</summary>
    public Socket Sender(string port) => Inside(() =>
    {
        int index = CaptureInterfaces.List().Single(i => i.Name == port).Index;
        var socket = new Socket(AddressFamily.Packet, SocketType.Raw, ProtocolType.Unspecified);
        socket.Bind(new LinkEndPoint(index));
        return socket;
    });

    public void Dispose() => Ip("netns", "delete", _name);

    [DllImport("libc", SetLastError = true)]
    static extern int setns(SafeFileHandle file, int type);

    /// <summary>sockaddr_ll with an index and no protocol: sends, receives nothing.</summary>
    sealed class LinkEndPoint(int index) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            byte[] bytes = BitConverter.GetBytes(index);
            for (int i = 0; i < 4; i++) address[4 + i] = bytes[i];
            return address;
        }
    }
}

/// <summary>A test on a real cable; skipped with its reason where that is not permitted.</summary>
sealed class CableFactAttribute : FactAttribute
{
    public CableFactAttribute() => Skip = NetworkNamespace.WhyNot;
}
