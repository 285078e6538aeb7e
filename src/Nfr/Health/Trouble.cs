using System.Text.Json;

namespace Nfr.Health;

/// <summary>How much it matters, gravest last.</summary>
enum Gravity : byte
{
    /// <summary>The sensor does its work; somebody should look at this when there is time.</summary>
    Notice,
    /// <summary>A part does not do its work. Nothing is gone yet.</summary>
    Fault,
    /// <summary>Packets, events or alerts are being lost.</summary>
    Loss,
}

/// <summary>One thing that is not as it should be, for a person.</summary>
/// <param name="Gravity">How much it matters.</param>
/// <param name="Place">Where: capture, input, ledger, spool, uplink, output, clock, disk, box, setup, update, lists.</param>
/// <param name="What">What happened, one sentence without its end.</param>
/// <param name="Do">What to do about it; empty where <paramref name="What"/> says it or only waiting helps.</param>
sealed record Trouble(Gravity Gravity, string Place, string What, string Do)
{
    /// <summary>There is nothing graver than a notice: the sensor does its work.</summary>
    public static bool AreNone(IEnumerable<Trouble> troubles) => troubles.All(t => t.Gravity == Gravity.Notice);

    public override string ToString() => Do.Length == 0 ? What : What + "; " + Do;

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("gravity", Gravity switch { Gravity.Loss => "loss", Gravity.Fault => "fault", _ => "notice" });
        json.WriteString("place", Place);
        json.WriteString("what", What);
        json.WriteString("do", Do);
        json.WriteEndObject();
    }
}
