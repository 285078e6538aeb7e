using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>
/// What a sensor is, retained under "info":
/// <c>{"name","site","id","sensor","version","model","serial","mac","addresses":[…],"capture":[…],"started","commands":[…]}</c>.
/// </summary>
public sealed record FleetInfo
{
    /// <summary>For people: the host's name.</summary>
    public required string Name { get; init; }
    public required string Site { get; init; }
    public required string Id { get; init; }
    /// <summary>The spool's own id of this sensor, as alerts and events carry it.</summary>
    public string Sensor { get; init; } = "";
    public string Version { get; init; } = "";
    /// <summary>Of the board; null where it has none.</summary>
    public string? Model { get; init; }
    public string? Serial { get; init; }
    /// <summary>Of the interface that leads to the broker, "aa:bb:cc:dd:ee:ff"; null where there is none.</summary>
    public string? Mac { get; init; }
    public IReadOnlyList<string> Addresses { get; init; } = [];
    /// <summary>Interfaces that it listens on.</summary>
    public IReadOnlyList<string> Capture { get; init; } = [];
    public DateTimeOffset Started { get; init; }
    /// <summary>Commands that it takes; empty where it has no key to check them with.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];

    public byte[] ToJson() => FleetJson.Make(json =>
    {
        json.WriteStartObject();
        json.WriteString("name", Name);
        json.WriteString("site", Site);
        json.WriteString("id", Id);
        json.WriteString("sensor", Sensor);
        json.WriteString("version", Version);
        if (Model is not null) json.WriteString("model", Model);
        if (Serial is not null) json.WriteString("serial", Serial);
        if (Mac is not null) json.WriteString("mac", Mac);
        FleetJson.Write(json, "addresses", Addresses);
        FleetJson.Write(json, "capture", Capture);
        json.WriteString("started", Started.UtcDateTime);
        FleetJson.Write(json, "commands", Commands);
        json.WriteEndObject();
    });

    /// <summary>Null when it is none. What a later version adds is passed by, what an earlier one lacks is empty.</summary>
    public static FleetInfo? TryRead(ReadOnlyMemory<byte> bytes) => FleetJson.Read(bytes, root => new FleetInfo
    {
        Name = root.Text("name") ?? "",
        Site = root.Text("site") ?? "",
        Id = root.Text("id") ?? "",
        Sensor = root.Text("sensor") ?? "",
        Version = root.Text("version") ?? "",
        Model = root.Text("model"),
        Serial = root.Text("serial"),
        Mac = root.Text("mac"),
        Addresses = root.Texts("addresses"),
        Capture = root.Texts("capture"),
        Started = root.Moment("started") ?? default,
        Commands = root.Texts("commands"),
    });
}
