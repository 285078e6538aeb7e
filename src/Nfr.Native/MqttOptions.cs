namespace Nfr.Native;

public enum MqttVersion : byte
{
    V311 = 4,
    V5 = 5,
}

/// <summary>A message that the broker gives out by itself when we are gone without a word.</summary>
/// <param name="Topic">Where.</param>
/// <param name="Payload">What; QoS 1, retained.</param>
public sealed record MqttWill(string Topic, ReadOnlyMemory<byte> Payload);

/// <summary>Files of PEM; what is null is left out.</summary>
/// <param name="Roots">The only roots that are trusted; null = the system's.</param>
/// <param name="Certificate">Ours.</param>
/// <param name="Key">Its private key, without a password; null = it lies in <paramref name="Certificate"/>'s file.</param>
public sealed record MqttTls(string? Roots, string? Certificate, string? Key);

/// <summary>How one connection to a broker is made.</summary>
public sealed record MqttOptions
{
    public required string Host { get; init; }
    public int Port { get; init; } = 1883;
    /// <summary>23 letters and digits suit every broker that keeps to the letter of MQTT 3.1.1; longer ones, and other characters, all that are known.</summary>
    public required string ClientId { get; init; }
    public MqttVersion Version { get; init; } = MqttVersion.V311;
    /// <summary>The broker forgets what it kept for this client.</summary>
    public bool CleanSession { get; init; }
    /// <summary>How long the broker keeps what it has for us once we are gone; MQTT 5 only, 3.1.1 leaves it to the broker.</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromDays(7);
    /// <summary>At least 5 s. A broker that says nothing for twice as long is given up.</summary>
    public TimeSpan Keepalive { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>For the TCP connection to one address of the host's, and to all of them.</summary>
    public TimeSpan ConnectLimit { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan ConnectLimitInAll { get; init; } = TimeSpan.FromSeconds(20);
    public string? User { get; init; }
    public string? Password { get; init; }
    /// <summary>Null = plain TCP.</summary>
    public MqttTls? Tls { get; init; }
    public MqttWill? Will { get; init; }
    /// <summary>Messages of QoS 1 that wait for their PUBACK at most; <see cref="MqttConnection.Publish"/> refuses further ones.</summary>
    public int MaxInFlight { get; init; } = 100;
    /// <summary>Bytes of one message from the broker at most: it is told so (MQTT 5), and one who sends more all the same is left.</summary>
    public int MaxInbound { get; init; } = 64 << 10;
}

/// <summary>Why a connection ended.</summary>
public enum MqttEndKind : byte
{
    /// <summary>It has not ended.</summary>
    None,
    /// <summary>We wanted it.</summary>
    Asked,
    /// <summary>The library is not here, or an option is none that it takes.</summary>
    Unusable,
    /// <summary>No TCP connection came about: name, route, refusal.</summary>
    Unreachable,
    /// <summary>TLS did not come about; <see cref="MqttEnd.Said"/> has OpenSSL's words.</summary>
    Tls,
    /// <summary>The broker answered CONNECT with a refusal; <see cref="MqttEnd.Code"/> is its code.</summary>
    Refused,
    /// <summary>The connection broke, or the broker closed it.</summary>
    Lost,
    /// <summary>The broker said nothing for too long.</summary>
    Silent,
    /// <summary>The broker broke the protocol, or what answers there is none.</summary>
    Protocol,
    /// <summary>The broker sends a message of more than <see cref="MqttOptions.MaxInbound"/>.</summary>
    TooLarge,
}

/// <param name="Kind">Why.</param>
/// <param name="Code">CONNACK's or DISCONNECT's code where the broker gave one, else libmosquitto's.</param>
/// <param name="Said">libmosquitto's and OpenSSL's own words.</param>
public readonly record struct MqttEnd(MqttEndKind Kind, int Code, string Said);

/// <summary>A message from the broker; its bytes end with the call.</summary>
public readonly ref struct MqttMessage
{
    public required string Topic { get; init; }
    public required ReadOnlySpan<byte> Payload { get; init; }
    public required bool IsRetained { get; init; }
}

/// <summary>What a connection tells, on the thread that runs it. Nothing here may block; an exception ends the connection and comes out of the running call.</summary>
public abstract class MqttListener
{
    /// <summary>CONNACK said yes.</summary>
    /// <param name="sessionPresent">The broker has kept our subscriptions and what came for them.</param>
    public abstract void Connected(bool sessionPresent);

    /// <summary>PUBACK came (QoS 1), or the message was written (QoS 0).</summary>
    /// <param name="id">As <see cref="MqttConnection.Publish"/> gave it.</param>
    /// <param name="reason">0 = taken; from 128 on the broker refuses it for good (MQTT 5).</param>
    public virtual void Published(int id, int reason)
    {
    }

    /// <param name="id">As <see cref="MqttConnection.Subscribe"/> gave it.</param>
    /// <param name="granted">QoS; from 128 on it is refused.</param>
    public virtual void Subscribed(int id, int granted)
    {
    }

    public virtual void Received(in MqttMessage message)
    {
    }
}
