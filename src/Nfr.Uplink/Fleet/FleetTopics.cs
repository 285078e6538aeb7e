using System.Security.Cryptography;
using System.Text;

namespace Nfr.Uplink;

/// <summary>What a sensor's topics are about.</summary>
public enum FleetTopic : byte
{
    /// <summary>"online" or "offline", retained; the latter is the will too.</summary>
    Status,
    /// <summary><see cref="FleetInfo"/>, retained.</summary>
    Info,
    /// <summary><see cref="FleetHealth"/>, every heartbeat, QoS 0, not retained.</summary>
    Health,
    /// <summary>An alert as AlertJson writes it, QoS 1, not retained.</summary>
    Alert,
    /// <summary>To the sensor: <see cref="FleetCommand"/>, QoS 1, never retained.</summary>
    Command,
    /// <summary><see cref="FleetAnswer"/>, QoS 1, not retained.</summary>
    Answer,
}

/// <summary>The topics of one sensor: nfr/SITE/ID/…</summary>
public readonly record struct FleetTopics
{
    public const string Root = "nfr";
    /// <summary>All sensors of a broker.</summary>
    public const string All = Root + "/#";
    public const int LongestPart = 64;

    public FleetTopics(string site, string id)
    {
        if (CheckPart(site) is { } wrongSite) throw new ArgumentException(wrongSite, nameof(site));
        if (CheckPart(id) is { } wrongId) throw new ArgumentException(wrongId, nameof(id));
        (Site, Id) = (site, id);
    }

    public string Site { get; }
    public string Id { get; }

    /// <summary>"SITE/ID": how a command names whom it is for.</summary>
    public string Address => Site + "/" + Id;

    /// <summary>
    /// At the broker: the root of our own topics, so that no two sensors share it. Up to 133 characters with slashes; a broker that takes the 23 letters and digits alone that MQTT 3.1.1 demands of all refuses it, and that is told.
    /// </summary>
    public string ClientId => $"{Root}/{Site}/{Id}";

    /// <summary>In Home Assistant, where only letters, digits, - and _ may stand: readable, and no other sensor's, since site and id as they are go into its end.</summary>
    public string AssistantId => $"{Root}-{Plain(Site)}-{Plain(Id)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Address)).AsSpan(0, 4))}";

    static string Plain(string part) => part.Replace('.', '_');

    public string Of(FleetTopic topic) => $"{Root}/{Site}/{Id}/{Name(topic)}";

    public override string ToString() => Address;

    public static string Name(FleetTopic topic) => topic switch
    {
        FleetTopic.Status => "status",
        FleetTopic.Info => "info",
        FleetTopic.Health => "health",
        FleetTopic.Alert => "alert",
        FleetTopic.Command => "command",
        _ => "answer",
    };

    /// <summary>What is wrong with a site or an id; null = nothing. It stands in topics, file names and Home Assistant's ids.</summary>
    public static string? CheckPart(string? part)
    {
        if (string.IsNullOrEmpty(part)) return "expected a name";
        if (part.Length > LongestPart) return $"longer than {LongestPart} characters";
        foreach (char c in part)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return $"expected letters, digits, - _ and . only, found \"{(char.IsControl(c) ? '?' : c)}\"";
        }
        return null;
    }

    /// <summary>Of "SITE/ID".</summary>
    public static bool TryParseAddress(string text, out FleetTopics topics)
    {
        topics = default;
        string[] parts = text.Split('/');
        if (parts.Length != 2 || CheckPart(parts[0]) is not null || CheckPart(parts[1]) is not null) return false;
        topics = new FleetTopics(parts[0], parts[1]);
        return true;
    }

    /// <summary>Whose and what a topic is; false for one that is no sensor's.</summary>
    public static bool TryParse(string topic, out FleetTopics topics, out FleetTopic about)
    {
        (topics, about) = (default, default);
        string[] parts = topic.Split('/', 5);
        if (parts.Length != 4 || parts[0] != Root || !TryParseAddress(parts[1] + "/" + parts[2], out topics)) return false;
        foreach (FleetTopic each in Enum.GetValues<FleetTopic>())
        {
            if (Name(each) != parts[3]) continue;
            about = each;
            return true;
        }
        return false;
    }
}
