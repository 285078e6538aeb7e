using System.Net;
using Nfr.Native;

namespace Nfr.Uplink;

/// <param name="What">One sentence.</param>
/// <param name="Do">What to do about it.</param>
readonly record struct FleetFault(string What, string Do);

/// <summary>
/// Says why no connection came about. libmosquitto tells little ("Protocol error", "certificate verify failed"), so that a look of our own goes before it (is anybody there?) and,
/// where TLS failed, after it (a handshake by the runtime, which knows why). The first is <see cref="FleetReach"/>'s.
/// </summary>
static class FleetWords
{
    /// <summary>Of a connection that came to nothing.</summary>
    /// <param name="options">Of the link.</param>
    /// <param name="version">That was spoken.</param>
    /// <param name="tls">Null = plain TCP.</param>
    /// <param name="end">How it ended.</param>
    /// <param name="wasConnected">CONNACK had come.</param>
    /// <param name="answers">The address that answered.</param>
    /// <param name="cancel">Ends the look at TLS.</param>
    public static FleetFault Of(FleetOptions options, MqttVersion version, ClientTls? tls, in MqttEnd end, bool wasConnected, IPAddress answers, CancellationToken cancel)
    {
        string broker = options.Where;
        switch (end.Kind)
        {
            case MqttEndKind.Refused:
                return Refused(options, version, end.Code, end.Said);
            case MqttEndKind.Silent:
                return new($"{broker} says nothing any more", "the broker hangs, or the way to it is cut without a word; it is tried again");
            case MqttEndKind.TooLarge:
                return new($"{broker} sends {end.Said}", "somebody publishes where commands are expected: limit who may write to " + options.Topics.Of(FleetTopic.Command) + " (ACL), and message_size_limit of the broker");
            case MqttEndKind.Unusable:
                return new($"no connection can be made: {end.Said}", options.UseTls ? "check fleet.tls (ca, certificate, key) and their rights" : "check the section fleet");
            case MqttEndKind.Unreachable:
                // Somebody answered a moment ago: a handshake that is broken off in the first call looks like this too.
                if (tls is not null && Probe(options, tls, answers, cancel) is { } broken) return broken;
                return new($"{broker} cannot be reached: {end.Said}", "check fleet.broker and the network of the management port");
            default:
                break;
        }
        if (wasConnected) return end.Code >= 128 ? Goodbye(options, end) : new($"the connection to {broker} broke", "it is tried again; if it stays so, look into the broker's log");
        if (tls is not null && Probe(options, tls, answers, cancel) is { } why) return why;
        if (end.Kind == MqttEndKind.Tls) return new($"the TLS handshake with {options.Host} failed: {OpenSsl(end.Said)}", "check fleet.tls, and the broker's log");
        return new($"{broker} closes the connection without an answer",
            options.UseTls ? "look into the broker's log; it may want a certificate (fleet.tls.certificate), another one, or refuse this client id"
            : $"it may speak TLS on this port (then set fleet.broker: mqtts://{options.Host}:{options.Port}), or no MQTT; look into the broker's log");
    }

    static FleetFault Goodbye(FleetOptions options, in MqttEnd end) => end.Code switch
    {
        0x8E => new($"another client with the id {options.Topics.ClientId} took our place at {options.Where}", "two sensors have the same fleet.site and fleet.id (on a box: site and name in nfr.txt): give each its own"),
        0x87 => new($"{options.Where} sent us away, since we may not publish or subscribe what we do (not authorised)", $"let the user write to {FleetTopics.Root}/{options.Topics.Address}/# in the broker's ACL, and read {options.Topics.Of(FleetTopic.Command)}"),
        _ => new($"{options.Where} sent us away: {end.Said}", "look into the broker's log"),
    };

    /// <summary>What a PUBACK says of an alert that it does not take now, but may later (MQTT 5, 3.4.2.1).</summary>
    public static string NotNow(int reason) => reason switch
    {
        0x87 => "the broker does not let us publish alerts (not authorised); check the user's rights in its ACL",
        0x97 => "the broker's quota for us is used up; raise it, or look who else uses it",
        _ => $"the broker does not take alerts ({Said(reason)}); look into its log",
    };

    /// <summary>Null unless it is a reason for which the same alert is refused whenever it comes.</summary>
    public static string? Never(int reason) => reason is 0x90 or 0x95 or 0x99 ? $"the broker says: {Said(reason)}" : null;

    static string Said(int reason) => $"{MqttConnection.ReasonWords(reason)}, reason {reason:X2}";

    static FleetFault Refused(FleetOptions options, MqttVersion version, int code, string said) => (version, code) switch
    {
        (MqttVersion.V311, 1) or (MqttVersion.V5, 0x84 or 1) => options.Version is null
            ? new($"{options.Where} speaks neither MQTT 5 nor 3.1.1", "look into the broker's log, and whether it is one")
            : new($"{options.Where} does not speak MQTT {FleetVersion.Name(version)}", "remove fleet.version, and what it speaks is found out"),
        (MqttVersion.V311, 2) or (_, 0x85) => new($"{options.Where} does not take the client id {options.Topics.ClientId}",
            $"it is made of fleet.site and fleet.id: shorten them if its {options.Topics.ClientId.Length} characters are too many (some brokers take 23), or let the broker take such ids, the / in them too"),
        (MqttVersion.V311, 3) or (_, 0x88 or 0x89) => new($"{options.Where} is not available ({said})", "the broker is overloaded or being set up; it is tried again"),
        (MqttVersion.V311, 4) or (_, 0x86) => new($"{options.Where} does not take user name and password", "check fleet.username and fleet.password_file"),
        (MqttVersion.V311, 5) or (_, 0x87) => new($"{options.Where} does not let us in (not authorised)",
            options.User is null && options.Tls.Certificate is null ? "it wants a user name (fleet.username) or a certificate (fleet.tls.certificate)" : "check the user and its rights in the broker's password and ACL files"),
        _ => new($"{options.Where} refuses the connection ({said}, code {code})", "look into the broker's log"),
    };

    /// <summary>The handshake once more by the runtime, with the same files, to learn why; null = it went well, or there is no news: the words of libmosquitto have to do.</summary>
    static FleetFault? Probe(FleetOptions options, ClientTls tls, IPAddress answers, CancellationToken cancel) =>
        TlsProbe.Look(tls, options.Host, new IPEndPoint(answers, options.Port), cancel) is { } fault ? Of(options, fault) : null;

    static FleetFault Of(FleetOptions options, TlsFault fault) => new(fault.Sentence,
        fault.ClockUnset ? "it is tried again as soon as the clock is set"
        : fault.Sentence.Contains("expired", StringComparison.Ordinal) ? "renew the broker's certificate, or check this box's clock"
        : fault.Sentence.Contains("is not for", StringComparison.Ordinal) ? $"name the broker in fleet.broker as its certificate does, or have {options.Host} added to the certificate"
        : fault.Sentence.Contains("signed", StringComparison.Ordinal) ? "set fleet.tls.ca to the certificate of the authority that signed the broker's"
        : "check fleet.tls (ca, certificate, key)");

    static string OpenSsl(string said)
    {
        int at = said.LastIndexOf("::", StringComparison.Ordinal);
        return at >= 0 ? said[(at + 2)..] : said;
    }
}
