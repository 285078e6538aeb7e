using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>
/// Home Assistant's device discovery: one retained message that describes all that it shows of this sensor, told again when Home Assistant starts, and taken back when it is
/// switched off in the configuration. One thread.
/// </summary>
sealed class FleetAssistant(FleetOptions options, Random random, TimeProvider time)
{
    /// <summary>Home Assistant asks for it: a thousand devices that answer its start in one second are none.</summary>
    const int MostSecondsBeforeAgain = 5;

    readonly Dictionary<int, string> _emptying = [];
    Func<FleetInfo>? _info;
    Func<string, byte[], int>? _retain;
    long? _againAt;

    static string Topic(FleetOptions options, string prefix) => $"{prefix}/device/{options.Topics.AssistantId}/config";

    /// <param name="subscribe">To a filter.</param>
    /// <param name="retain">Publishes what the broker is to keep; gives its id, 0 = it could not.</param>
    /// <param name="info">Who this sensor is.</param>
    /// <param name="told">What Home Assistant was told, by whatever name this sensor had then.</param>
    public void Begin(Action<string> subscribe, Func<string, byte[], int> retain, Func<FleetInfo> info, FleetSequences told)
    {
        (_info, _retain, _againAt) = (info, retain, null);
        _emptying.Clear();
        string? now = options.HomeAssistant is { } prefix ? Topic(options, prefix) : null;
        foreach (string before in told.ToldTopics)
        {
            if (before != now && retain(before, []) is var id and > 0) _emptying[id] = before;
        }
        if (now is null) return;
        // Noted before it is said, and forgotten after it was taken back: what Home Assistant was told is known whenever the power goes.
        told.Tell(now);
        subscribe(options.HomeAssistant + "/status");
        Tell();
    }

    /// <summary>PUBACK came, for whatever was published.</summary>
    public void Published(int id, bool taken, FleetSequences told)
    {
        if (_emptying.Remove(id, out string? topic) && taken) told.TakenBack(topic);
    }

    /// <summary>True when it was Home Assistant's own word.</summary>
    public bool IsBirth(string topic, ReadOnlySpan<byte> payload)
    {
        if (options.HomeAssistant is not { } prefix || topic != prefix + "/status") return false;
        if (payload.SequenceEqual("online"u8)) _againAt = time.GetTimestamp() + random.NextInt64(MostSecondsBeforeAgain * time.TimestampFrequency);
        return true;
    }

    public void Work()
    {
        if (_againAt is not { } at || time.GetTimestamp() < at) return;
        _againAt = null;
        Tell();
    }

    void Tell() => _retain!(Topic(options, options.HomeAssistant!), Describe(options, _info!()));

    internal static byte[] Describe(FleetOptions options, FleetInfo info) => FleetJson.Make(json =>
    {
        string id = options.Topics.AssistantId, health = options.Topics.Of(FleetTopic.Health);
        // Two heartbeats late: whatever it said last is not known any more.
        int expires = (int)Math.Ceiling(options.Heartbeat.TotalSeconds * 3);
        json.WriteStartObject();
        json.WriteStartObject("device");
        json.WriteStartArray("identifiers");
        json.WriteStringValue(id);
        json.WriteEndArray();
        json.WriteString("name", info.Name.Length > 0 ? $"NFR {info.Name}" : $"NFR {options.Topics.Address}");
        json.WriteString("manufacturer", "Network Flight Recorder");
        json.WriteString("model", info.Model ?? "network sensor");
        json.WriteString("sw_version", info.Version);
        if (info.Serial is not null) json.WriteString("serial_number", info.Serial);
        if (info.Mac is not null)
        {
            // By it Home Assistant finds that this is a device that it knows already.
            json.WriteStartArray("connections");
            json.WriteStartArray();
            json.WriteStringValue("mac");
            json.WriteStringValue(info.Mac);
            json.WriteEndArray();
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteStartObject("origin");
        json.WriteString("name", "nfr");
        json.WriteString("sw_version", info.Version);
        json.WriteEndObject();
        json.WriteString("availability_topic", options.Topics.Of(FleetTopic.Status));
        json.WriteString("state_topic", health);
        json.WriteNumber("qos", 1);
        json.WriteStartObject("components");
        Sensor("packets", "Packets", "measurement", "packets/s", null, "value_json.packetsPerSecond | default(0)");
        Sensor("traffic", "Traffic", "measurement", "bit/s", "data_rate", "value_json.bitsPerSecond | default(0)");
        Sensor("events", "Events spooled", "total_increasing", "events", null, "value_json.ledger.spooled");
        Sensor("alerts", "Alerts", "total_increasing", "alerts", null, "value_json.alerts.total");
        Sensor("lost", "Lost in the last interval", "measurement", "items", null, "value_json.ledger.lost | default(0)", diagnostic: true);
        Sensor("spool", "Spool", "measurement", "B", "data_size", "(value_json.spool | default({})).bytes | default(0)", diagnostic: true);
        Sensor("disk", "Disk free", "measurement", "B", "data_size", "value_json.box.diskFree | default(none)", diagnostic: true);
        Sensor("temperature", "Temperature", "measurement", "°C", "temperature", "value_json.box.celsius | default(none)", diagnostic: true);
        Sensor("uptime", "Up", "total_increasing", "s", "duration", "value_json.uptimeSeconds", diagnostic: true);
        Component("problem", "binary_sensor", "Problem", "problem", () =>
        {
            json.WriteString("value_template", "{{ 'OFF' if value_json.well else 'ON' }}");
            json.WriteString("json_attributes_topic", health);
            json.WriteString("json_attributes_template", "{{ {'troubles': value_json.troubles | map(attribute='what') | list, 'do': value_json.troubles | map(attribute='do') | list} | tojson }}");
            json.WriteNumber("expire_after", expires);
        });
        Component("alert", "event", "Alert", null, () =>
        {
            json.WriteString("state_topic", options.Topics.Of(FleetTopic.Alert));
            json.WriteStartArray("event_types");
            json.WriteStringValue("alert");
            json.WriteEndArray();
            json.WriteString("value_template", "{{ dict(value_json, event_type='alert') | tojson }}");
        });
        // Shown, and no more: without a command topic Home Assistant offers no button. A newer system is installed at the box, by "nfr update", which believes signatures alone.
        Component("update", "update", "Firmware", "firmware", () =>
        {
            json.WriteString("state_topic", health);
            json.WriteString("value_template", "{% set system = value_json.firmware | default({}) %}{{ (dict(installed_version=system.installed, latest_version=system.latest) if system.latest is defined"
                + " else dict(installed_version=system.installed) if system.installed is defined else {}) | tojson }}");
            json.WriteString("entity_category", "diagnostic");
        });
        json.WriteEndObject();
        json.WriteEndObject();

        void Sensor(string key, string name, string state, string unit, string? device, string value, bool diagnostic = false) => Component(key, "sensor", name, device, () =>
        {
            json.WriteString("state_class", state);
            json.WriteString("unit_of_measurement", unit);
            json.WriteString("value_template", "{{ " + value + " }}");
            if (diagnostic) json.WriteString("entity_category", "diagnostic");
            json.WriteNumber("expire_after", expires);
        });

        void Component(string key, string platform, string name, string? device, Action rest)
        {
            json.WriteStartObject(key);
            json.WriteString("platform", platform);
            json.WriteString("unique_id", $"{id}-{key}");
            json.WriteString("name", name);
            if (device is not null) json.WriteString("device_class", device);
            rest();
            json.WriteEndObject();
        }
    });
}
