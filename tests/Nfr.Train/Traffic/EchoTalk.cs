using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>A conversation of echoes between two hosts, 20 ms apart; <see cref="Alerts"/> may be asked while it goes on.</summary>
sealed class EchoTalk : IDisposable
{
    public const string Client = "10.1.2.3", Server = "203.0.113.9";

    readonly ScoredTraffic _scored = new(Detectors.IcmpTunnel);
    ushort _number;

    public List<Alert> Alerts => _scored.Alerts;
    public DecodeCounters Counters => _scored.Counters;
    public int Echoes { get; private set; }

    /// <summary>One echo; a request's number is that of the reply after it.</summary>
    public void Say(bool reply, byte[] payload, bool six = false, double afterSeconds = 0.02)
    {
        Echoes++;
        (string from, string to) = six ? ("fd00::1", "2001:db8::2") : (Client, Server);
        byte[] message = [(byte)(six ? (reply ? 129 : 128) : (reply ? 0 : 8)), 0, 0, 0, 0, 1, (byte)(_number >> 8), (byte)_number, .. payload];
        if (!reply) _number++;
        _scored.Ip(Frames.Ip(reply ? to : from, reply ? from : to, six ? IPProtocol.IcmpV6 : IPProtocol.Icmp, message), afterSeconds);
    }

    /// <summary>Until the flow's event has come.</summary>
    public void End() => _scored.Wait(120);

    public void Dispose() => _scored.Dispose();

    public static byte[] Random(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>iputils: 16 bytes of time, then bytes that count up.</summary>
    public static byte[] Ping(int number, int size) => [.. Enumerable.Repeat((byte)number, Math.Min(16, size)), .. Enumerable.Range(16, Math.Max(0, size - 16)).Select(i => (byte)i)];

    /// <summary>What a shell says, a piece of up to 64 characters an echo.</summary>
    public static readonly byte[][] ShellLines = [.. new[]
    {
        "uid=0(root) gid=0(root) groups=0(root)", "Linux gateway 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian x86_64", "total 48  bin boot dev etc home lib lib64 media mnt",
        "root:x:0:0:root:/root:/bin/bash daemon:x:1:1:daemon:/usr/sbin", "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((sshd,pid=811))", "Filesystem 1K-blocks Used Available Use% Mounted on /dev/vda1",
        "19:04:11 up 41 days, 2:10, 1 user, load average: 0.08, 0.03", "default via 10.1.0.1 dev eth0 proto dhcp src 10.1.2.3 metric 100", "cat: /etc/shadow: Permission denied ... try the backup",
    }.Select(Encoding.ASCII.GetBytes)];
}
