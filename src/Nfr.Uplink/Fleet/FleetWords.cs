using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Nfr.Native;

namespace Nfr.Uplink;

/// <param name="What">One sentence.</param>
/// <param name="Do">What to do about it.</param>
/// <param name="ClockUnset">Worth trying again as soon as the clock is set.</param>
readonly record struct FleetFault(string What, string Do, bool ClockUnset = false);

/// <summary>
/// Says why no connection came about. libmosquitto tells little ("Protocol error", "certificate verify failed"), so that a look of our own goes before it (is anybody there?) and,
/// where TLS failed, after it (a handshake by the runtime, which knows why).
/// </summary>
static class FleetWords
{
    static readonly TimeSpan s_reach = TimeSpan.FromSeconds(5);
    /// <summary>TLS 1.3: a server looks at our certificate only after the handshake.</summary>
    static readonly TimeSpan s_afterthought = TimeSpan.FromSeconds(1);

    /// <summary>Whether somebody listens there; null = yes. Ten seconds at most: libmosquitto's own wait is the kernel's, two minutes.</summary>
    public static FleetFault? Reach(string host, int port, CancellationToken cancel)
    {
        IPAddress[] addresses;
        try
        {
            addresses = Dns.GetHostAddressesAsync(host, cancel).WaitAsync(s_reach, cancel).GetAwaiter().GetResult();
        }
        catch (Exception fault) when (fault is SocketException or TimeoutException)
        {
            return new($"the broker's name {host} cannot be resolved", fault is TimeoutException ? "no name server answers: check the network of the management port" : "check fleet.broker, and the name servers of this box");
        }
        SocketException? last = null;
        foreach (IPAddress address in addresses.Take(4))
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(s_reach / Math.Min(4, addresses.Length));
            try
            {
                socket.ConnectAsync(address, port, limit.Token).AsTask().GetAwaiter().GetResult();
                return null;
            }
            catch (SocketException fault)
            {
                last = fault;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                last = new SocketException((int)SocketError.TimedOut);
            }
        }
        return last?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => new($"nobody listens on port {port} of {host}", "start the broker, or check the port in fleet.broker (1883 plain, 8883 TLS) and the broker's listener"),
            SocketError.TimedOut => new($"{host} does not answer on port {port}", "check that it is on and that no firewall is between"),
            SocketError.NetworkUnreachable or SocketError.HostUnreachable => new($"there is no way to {host}", "check the management port's cable, address and gateway"),
            { } other => new($"{host}:{port} cannot be reached ({other})", "check fleet.broker and the network of the management port"),
            null => new($"the broker's name {host} has no address", "check fleet.broker"),
        };
    }

    /// <summary>Of a connection that came to nothing.</summary>
    public static FleetFault Of(FleetOptions options, ClientTls? tls, in MqttEnd end, bool wasConnected, CancellationToken cancel)
    {
        string broker = options.Where;
        switch (end.Kind)
        {
            case MqttEndKind.Refused:
                return Refused(options, end.Code, end.Said);
            case MqttEndKind.Silent:
                return new($"{broker} says nothing any more", "the broker hangs, or the way to it is cut without a word; it is tried again");
            case MqttEndKind.TooLarge:
                return new($"{broker} sends {end.Said}", "somebody publishes where commands are expected: limit who may write to " + options.Topics.Of(FleetTopic.Command) + " (ACL), and message_size_limit of the broker");
            case MqttEndKind.Unusable:
                return new($"no connection can be made: {end.Said}", options.UseTls ? "check fleet.tls (ca, certificate, key) and their rights" : "check the section fleet");
            case MqttEndKind.Unreachable:
                return new($"{broker} cannot be reached: {end.Said}", "check fleet.broker and the network of the management port");
            default:
                break;
        }
        if (wasConnected) return end.Code >= 128 ? Goodbye(options, end) : new($"the connection to {broker} broke", "it is tried again; if it stays so, look into the broker's log");
        if (tls is not null && Probe(options, tls, cancel) is { } why) return why;
        if (end.Kind == MqttEndKind.Tls) return new($"the TLS handshake with {options.Host} failed: {OpenSsl(end.Said)}", "check fleet.tls, and the broker's log");
        return new($"{broker} closes the connection without an answer",
            options.UseTls ? "look into the broker's log; it may want a certificate (fleet.tls.certificate), another one, or refuse this client id"
            : $"it may speak TLS on this port (then set fleet.broker: mqtts://{options.Host}:{options.Port}), or no MQTT; look into the broker's log");
    }

    static FleetFault Goodbye(FleetOptions options, in MqttEnd end) => end.Code == 0x8E
        ? new($"another client with the id {options.ClientId} took our place at {options.Where}", "two sensors have the same fleet.site and fleet.id: give each its own")
        : new($"{options.Where} sent us away: {end.Said}", "look into the broker's log");

    static FleetFault Refused(FleetOptions options, int code, string said) => (options.Version, code) switch
    {
        (MqttVersion.V311, 1) or (MqttVersion.V5, 0x84 or 1) => new($"{options.Where} does not speak MQTT {(options.Version == MqttVersion.V5 ? "5" : "3.1.1")}", $"set fleet.version: {(options.Version == MqttVersion.V5 ? "3.1.1" : "5")}"),
        (MqttVersion.V311, 2) or (_, 0x85) => new($"{options.Where} does not take the client id {options.ClientId}", "set another fleet.id, or let the broker take it"),
        (MqttVersion.V311, 3) or (_, 0x88 or 0x89) => new($"{options.Where} is not available ({said})", "the broker is overloaded or being set up; it is tried again"),
        (MqttVersion.V311, 4) or (_, 0x86) => new($"{options.Where} does not take user name and password", "check fleet.username and fleet.password_file"),
        (MqttVersion.V311, 5) or (_, 0x87) => new($"{options.Where} does not let us in (not authorised)",
            options.User is null && options.Tls.Certificate is null ? "it wants a user name (fleet.username) or a certificate (fleet.tls.certificate)" : "check the user and its rights in the broker's password and ACL files"),
        _ => new($"{options.Where} refuses the connection ({said}, code {code})", "look into the broker's log"),
    };

    /// <summary>The handshake once more by the runtime, with the same files, to learn why; null = it went well.</summary>
    static FleetFault? Probe(FleetOptions options, ClientTls tls, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(s_reach);
        try
        {
            using var socket = new TcpClient();
            socket.ConnectAsync(options.Host, options.Port, limit.Token).AsTask().GetAwaiter().GetResult();
            (SslStream? stream, TlsFault? fault) = tls.OpenAsync(socket.GetStream(), options.Host, limit.Token).GetAwaiter().GetResult();
            if (fault is not null) return Of(options, fault);
            using (stream)
            {
                limit.CancelAfter(s_afterthought);
                try
                {
                    _ = stream!.ReadAsync(new byte[1], limit.Token).AsTask().GetAwaiter().GetResult();
                }
                catch (IOException late)
                {
                    return Of(options, new TlsFault(ClientTls.Describe(late, options.Host), false));
                }
            }
        }
        catch (Exception fault) when (fault is SocketException or IOException or OperationCanceledException)
        {
            // No news: the words of libmosquitto have to do.
            cancel.ThrowIfCancellationRequested();
        }
        return null;
    }

    static FleetFault Of(FleetOptions options, TlsFault fault) => new(fault.Sentence,
        fault.ClockUnset ? "it is tried again as soon as the clock is set"
        : fault.Sentence.Contains("expired", StringComparison.Ordinal) ? "renew the broker's certificate, or check this box's clock"
        : fault.Sentence.Contains("is not for", StringComparison.Ordinal) ? $"name the broker in fleet.broker as its certificate does, or have {options.Host} added to the certificate"
        : fault.Sentence.Contains("signed", StringComparison.Ordinal) ? "set fleet.tls.ca to the certificate of the authority that signed the broker's"
        : "check fleet.tls (ca, certificate, key)", fault.ClockUnset);

    static string OpenSsl(string said)
    {
        int at = said.LastIndexOf("::", StringComparison.Ordinal);
        return at >= 0 ? said[(at + 2)..] : said;
    }
}
