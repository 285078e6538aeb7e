using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>
/// What became of a command, under "answer": <c>{"time","key","sequence","command","ok","why","result":{…}}</c>. Key and sequence tell whose it is; both are absent where what
/// came could not be believed so far.
/// </summary>
public sealed record FleetAnswer
{
    public DateTimeOffset Time { get; init; }
    /// <summary><see cref="FleetKey.Id"/> of who signed; null when nobody did whom this sensor knows.</summary>
    public string? Key { get; init; }
    public long? Sequence { get; init; }
    public string? Command { get; init; }
    public bool Ok { get; init; }
    /// <summary>Why not, or what was done; one sentence.</summary>
    public string Why { get; init; } = "";
    /// <summary>A JSON object; null = there is none.</summary>
    public string? Result { get; init; }

    internal const string UnknownMark = "unknown";

    /// <summary>Given back by who acts: it is no command that this sensor has, or not with such arguments. It is counted as refused.</summary>
    public static FleetAnswer Unknown(string why) => new() { Ok = false, Why = why, Result = UnknownMark };

    /// <summary>An object for <see cref="Result"/>.</summary>
    public static string ResultOf(Action<Utf8JsonWriter> properties) => System.Text.Encoding.UTF8.GetString(FleetJson.Make(json =>
    {
        json.WriteStartObject();
        properties(json);
        json.WriteEndObject();
    }));

    public byte[] ToJson() => FleetJson.Make(json =>
    {
        json.WriteStartObject();
        json.WriteString("time", Time.UtcDateTime);
        if (Key is not null) json.WriteString("key", Key);
        if (Sequence is { } sequence) json.WriteNumber("sequence", sequence);
        if (Command is not null) json.WriteString("command", Command);
        json.WriteBoolean("ok", Ok);
        json.WriteString("why", Why);
        if (Result is not null)
        {
            json.WritePropertyName("result");
            json.WriteRawValue(Result);
        }
        json.WriteEndObject();
    });

    public static FleetAnswer? TryRead(ReadOnlyMemory<byte> bytes) => FleetJson.Read(bytes, root => new FleetAnswer
    {
        Time = root.Moment("time") ?? default,
        Key = root.Text("key"),
        Sequence = root.Whole("sequence"),
        Command = root.Text("command"),
        Ok = root.Flag("ok") ?? false,
        Why = root.Text("why") ?? "",
        Result = root.Under("result")?.Raw,
    });
}
