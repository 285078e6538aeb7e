namespace Nfr.Events;

/// <summary>Why a line is no event.</summary>
public enum EventLineFault : byte
{
    None,
    /// <summary>No JSON object, or more than one.</summary>
    NotJson,
    /// <summary>No "ts", or none that RFC 3339 knows.</summary>
    Timestamp,
    /// <summary>No "srcIP", or no address.</summary>
    Source,
    /// <summary>An ip event without "destIP", or any with one that is no address.</summary>
    Destination,
    /// <summary>A dns event without "query", or with one longer than any name.</summary>
    Query,
    /// <summary>An http event without "url".</summary>
    Url,
    Count,
}

public static class EventLineFaults
{
    /// <summary>The reason as an engine's answer and its metrics say it.</summary>
    public static string Name(this EventLineFault fault) => fault switch
    {
        EventLineFault.None => "",
        EventLineFault.NotJson => "not_json",
        EventLineFault.Timestamp => "bad_ts",
        EventLineFault.Source => "bad_src_ip",
        EventLineFault.Destination => "bad_dest_ip",
        EventLineFault.Query => "bad_query",
        _ => "bad_url",
    };
}
