using System.Net.Sockets;
using Nfr.Commands;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Fleet;

/// <summary>Why there is no connection, in a sentence that says what to do.</summary>
static class BrokerWords
{
    public static string Of(SocketError error, BrokerAddress broker) => error switch
    {
        SocketError.HostNotFound or SocketError.NoData => $"there is no host named {broker.Host}; look at the name in --broker, or in fleet.broker of the config",
        SocketError.TryAgain => $"no name server tells the address of {broker.Host} just now",
        SocketError.ConnectionRefused => $"{broker} refuses the connection: no broker listens on port {broker.Port}, or a firewall is before it; start it, or look at the port (mostly 1883, with TLS 8883)",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => $"there is no way to {broker.Host}; look at the network",
        SocketError.TimedOut => $"{broker} does not answer within {BrokerLink.ConnectLimit.TotalSeconds:0} s; look at the address, and for a firewall",
        _ => $"no connection to {broker} ({error})",
    };

    /// <summary>What libmosquitto and OpenSSL say goes last, made fit for a terminal.</summary>
    /// <param name="end">Of the connection.</param>
    /// <param name="broker">Where.</param>
    /// <param name="tls">Our files.</param>
    /// <param name="found">What a handshake of our own met after it; null = nothing, or none was made.</param>
    public static string Of(MqttEnd end, BrokerAddress broker, MqttTls? tls, TlsFault? found = null)
    {
        if (found is not null) return Tls(Printable.Of(found.Sentence), broker, tls);
        string said = Printable.Of(end.Said.Trim());
        return end.Kind switch
        {
            MqttEndKind.Unusable => $"{said}; install libmosquitto1, or look at --ca, --cert and --cert-key",
            MqttEndKind.Unreachable => $"no connection to {broker}: {said}",
            MqttEndKind.Tls => $"no TLS with {broker}: {said}; look at --ca, --cert and --cert-key, and whether the port is one of TLS",
            MqttEndKind.Refused => end.Code is 4 or 5 or 134 or 135 ? Refused(broker, tls) : $"{broker} refuses us: {said}",
            MqttEndKind.Lost => $"{broker} closed the connection ({said}){(broker.Tls ? "; look into its log" : "; a broker that wants TLS does so too: mqtts://")}",
            MqttEndKind.Silent => $"{broker} says nothing any more",
            MqttEndKind.Protocol => $"what answers at {broker} is no MQTT broker, or wants {(broker.Tls ? "no TLS" : "TLS (mqtts://)")}: {said}",
            MqttEndKind.TooLarge => $"{broker} sends a message that is longer than any sensor's; look who else writes below nfr/, or name a --site",
            _ => said,
        };
    }

    /// <summary>Brokers do not say which of name, password and rights it is, so that nobody can try names out.</summary>
    static string Refused(BrokerAddress broker, MqttTls? tls) =>
        broker.User is { } user ? $"{broker} does not let us in: it does not take the name {Printable.Of(user)} with this password, or that user may do nothing there; look at both, and at the broker's password and access files"
        : tls?.Certificate is { } certificate ? $"{broker} does not let us in: it does not take the certificate in {certificate} for a user that it knows; look at its access file, or name another certificate (--cert)"
        : $"{broker} does not let us in: it wants a name and password ({(broker.Tls ? "mqtts" : "mqtt")}://NAME:PASSWORD@{broker.Host}, or fleet.username and fleet.password_file of the config){(broker.Tls ? ", or a certificate of ours (--cert, --cert-key)" : "")}";

    /// <summary>The runtime's words for it, and what to do with the options of the command.</summary>
    static string Tls(string why, BrokerAddress broker, MqttTls? tls)
    {
        bool Says(string part) => why.Contains(part, StringComparison.Ordinal);
        // Files of ours that cannot be used are named as the config does.
        if (why.StartsWith("tls.", StringComparison.Ordinal))
            return "--" + why["tls.".Length..].Replace("certificate:", "cert:", StringComparison.Ordinal).Replace("key:", "cert-key:", StringComparison.Ordinal);
        if (Says("wants a certificate of ours")) return $"{broker} wants a certificate of ours; name it with --cert FILE --cert-key FILE, or in fleet.tls of the config";
        if (Says("does not take our certificate"))
            return $"{broker} does not take our certificate{(tls?.Certificate is { } ours ? $" ({ours})" : "")}; name one that an authority of the broker has signed with --cert FILE --cert-key FILE: {why[(why.LastIndexOf(": ", StringComparison.Ordinal) + 2)..]}";
        if (Says("does not trust") || Says("stands behind it"))
            return tls?.Roots is { } roots ? $"the certificate of {broker} is not signed by the authority in {roots}; name the right one with --ca FILE: {why}" : $"{why}; name its authority with --ca FILE";
        if (Says("is not for")) return $"{why}; name the broker in --broker as its certificate does";
        if (Says("expired") || Says("clock")) return $"{why}; renew the broker's certificate, or set this machine's clock";
        return $"{why}; look at --ca, --cert and --cert-key, and whether {broker.Port} is a port with TLS (else write mqtt://)";
    }
}
