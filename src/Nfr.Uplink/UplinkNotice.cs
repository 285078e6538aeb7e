namespace Nfr.Uplink;

public enum NoticeLevel : byte
{
    Information,
    Warning,
    Error,
}

/// <summary>A sentence for the log, sent when a state changes and not before it changes again; the executable decides where it goes.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Sentence">One line with a number in it, without a line end, such as "uplink: engine https://… reachable again after 4 min".</param>
public readonly record struct UplinkNotice(NoticeLevel Level, string Sentence);
