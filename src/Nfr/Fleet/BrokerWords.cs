using System.Net.Sockets;
using Nfr.Commands;
using Nfr.Native;

namespace Nfr.Fleet;

/// <summary>Why there is no connection, in a sentence that says what to do.</summary>
static class BrokerWords
{
    public static string Of(SocketError error, BrokerAddress broker) => error switch
    {
        SocketError.HostNotFound or SocketError.NoData => $"there is no host named {broker.Host}; look at the name in --broker",
        SocketError.TryAgain => $"no name server tells the address of {broker.Host} just now",
        SocketError.ConnectionRefused => $"{broker} refuses the connection: no broker listens on port {broker.Port}, or a firewall is before it",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => $"there is no way to {broker.Host}; look at the network",
        SocketError.TimedOut => $"{broker} does not answer within {BrokerLink.ConnectLimit.TotalSeconds:0} s; look at the address, and for a firewall",
        _ => $"no connection to {broker} ({error})",
    };

    /// <summary>What libmosquitto and OpenSSL say goes last, made fit for a terminal.</summary>
    public static string Of(MqttEnd end, BrokerAddress broker, MqttTls? tls)
    {
        string said = Printable.Of(end.Said.Trim());
        return end.Kind switch
        {
            MqttEndKind.Unusable => $"{said}; install libmosquitto1, or look at --ca, --cert and --key",
            MqttEndKind.Unreachable => $"no connection to {broker}: {said}",
            MqttEndKind.Tls => Tls(said, broker, tls),
            MqttEndKind.Refused => end.Code is 4 or 5 or 134 or 135
                ? $"{broker} does not let us in: it wants another certificate (--cert, --key), or a name and password (mqtt://NAME:PASSWORD@{broker.Host})"
                : $"{broker} refuses us: {said}",
            MqttEndKind.Lost => $"{broker} closed the connection ({said}){(broker.Tls ? "" : "; a broker that wants TLS does so too: mqtts://")}",
            MqttEndKind.Silent => $"{broker} says nothing any more",
            MqttEndKind.Protocol => $"what answers at {broker} is no MQTT broker, or wants {(broker.Tls ? "no TLS" : "TLS (mqtts://)")}: {said}",
            MqttEndKind.TooLarge => $"{broker} sends a message that is longer than any sensor's; look who else writes below nfr/, or name a --site",
            _ => said,
        };
    }

    static string Tls(string said, BrokerAddress broker, MqttTls? tls)
    {
        if (said.Contains("verify failed", StringComparison.OrdinalIgnoreCase) || said.Contains("unknown ca", StringComparison.OrdinalIgnoreCase))
            return $"the certificate of {broker} is not signed by {(tls?.Roots is { } roots ? $"the authority in {roots}" : "an authority that this system trusts; name yours with --ca FILE")}, or not made for {broker.Host}: {said}";
        if (said.Contains("certificate required", StringComparison.OrdinalIgnoreCase) || said.Contains("alert", StringComparison.OrdinalIgnoreCase))
            return $"{broker} does not accept our certificate; name one that it knows with --cert FILE --key FILE: {said}";
        return $"no TLS with {broker}: {said}; look at --ca, --cert and --key, and whether the port is one of TLS";
    }
}
