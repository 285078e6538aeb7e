using Nfr.Native;

namespace Nfr.Fleet;

/// <summary>A broker as its user writes it: mqtts://broker:8883, mqtt://user:password@10.0.0.2, or a host alone.</summary>
/// <param name="Host">Name or address, without brackets.</param>
/// <param name="Port">1883 and 8883 (TLS) unless it is said.</param>
/// <param name="Tls">The connection is encrypted and the broker's certificate checked.</param>
/// <param name="User">Null = none is given.</param>
/// <param name="Password">Of the user.</param>
sealed record BrokerAddress(string Host, int Port, bool Tls, string? User, string? Password)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"{(Tls ? "mqtts" : "mqtt")}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";

    /// <param name="text">As it was typed.</param>
    /// <param name="fault">What it should have been.</param>
    public static BrokerAddress? Read(string text, out string fault)
    {
        fault = $"--broker takes an address such as mqtts://broker.example:8883 or mqtt://10.0.0.2; not \"{Masked(text)}\"";
        string full = text.Contains("://", StringComparison.Ordinal) ? text : "mqtt://" + text;
        if (!Uri.TryCreate(full, UriKind.Absolute, out Uri? uri) || uri.Host.Length == 0 || uri.AbsolutePath is not ("" or "/") || uri.Query.Length > 0) return null;
        bool? tls = uri.Scheme switch { "mqtt" or "tcp" => false, "mqtts" or "ssl" or "tls" => true, _ => null };
        if (tls is not { } encrypted) return null;
        string[] user = uri.UserInfo.Split(':', 2);
        fault = "";
        return new(uri.DnsSafeHost, uri.Port > 0 ? uri.Port : encrypted ? 8883 : 1883, encrypted,
            uri.UserInfo.Length > 0 ? Uri.UnescapeDataString(user[0]) : null, user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null);
    }

    /// <summary>Without what stands before the @: a fault is read by others too.</summary>
    static string Masked(string text) => text.LastIndexOf('@') is > 0 and var at ? "..." + text[at..] : text;

    /// <summary>How to connect to it. The session is not kept: whoever looks at a fleet wants what is now.</summary>
    public MqttOptions Options(string client, MqttTls? tls) => new()
    {
        Host = Host,
        Port = Port,
        ClientId = client,
        CleanSession = true,
        User = User,
        Password = Password,
        Tls = Tls ? tls ?? new MqttTls(null, null, null) : null,
        MaxInbound = FleetBounds.LongestAlert * 2,
        MaxInFlight = 200,
    };
}
