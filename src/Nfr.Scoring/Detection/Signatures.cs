using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// What the rules of another sensor have matched: each rule and client is one finding, as grave as the rule says, told again with its count like any other.
/// No state of its own.
/// </summary>
sealed class Signatures(Findings findings) : Detector
{
    public const string Name = "signature";

    public override DetectorEvents Sees => DetectorEvents.Signature;

    public override int OnSignature(scoped in SignatureEvent e)
    {
        int severity = SeverityOf(e);
        ulong rule = ((ulong)e.GeneratorId << 32) | e.SignatureId;
        // A rule without a number is known by its text.
        if (e.SignatureId == 0) rule = Mix.OfName(e.Signature);
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, rule), (ulong)Detectors.Signatures);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string client = e.Context.Source.ToString(), server = e.Context.Destination.ToString(), sensor = Text(e.Sensor), text = Text(e.Signature);
        string number = string.Create(CultureInfo.InvariantCulture, $"{e.GeneratorId}:{e.SignatureId}");
        string name = text.Length == 0 ? number : text;
        AlertThreat threat = (e.Notes & SignatureNotes.Policy) != 0 ? Threats.SignaturePolicy : Threats.SignatureMatch;
        // The rule's own words are what people look for: they stand in every output.
        threat = threat with { Severity = severity, Title = text.Length == 0 ? threat.Title : $"{(sensor.Length == 0 ? "Signature" : char.ToUpperInvariant(sensor[0]) + sensor[1..])}: {text}" };
        findings.Raise(in e, finding, new Finding(Name, $"{client} {(e.SignatureId == 0 ? name : number)}", threat, FlagsOf(e.Notes),
            string.Create(CultureInfo.InvariantCulture, $"A rule of {(sensor.Length == 0 ? "another sensor" : sensor)} matched traffic between {client} and {server}: {name}."),
            [new("matches", count, 1)],
            Facts(e, text), count));
        return severity;
    }

    /// <summary>1 to 4 are high, medium, low and informational: what a rule alone is sure of is never the gravest.</summary>
    static int SeverityOf(scoped in SignatureEvent e) => e.Severity switch { 0 => 2, 1 => 4, 2 => 3, 3 => 2, _ => 1 };

    static string[] FlagsOf(SignatureNotes notes) =>
    [
        .. (notes & SignatureNotes.CommandAndControl) != 0 ? ["c2"] : Array.Empty<string>(),
        .. (notes & SignatureNotes.Phishing) != 0 ? ["phishing"] : Array.Empty<string>(),
        .. (notes & SignatureNotes.Cryptomining) != 0 ? ["cryptomining"] : Array.Empty<string>(),
        .. (notes & SignatureNotes.Malware) != 0 ? ["malware"] : Array.Empty<string>(),
    ];

    static List<EvidenceValue> Facts(scoped in SignatureEvent e, string text)
    {
        List<EvidenceValue> facts = [new("signature", 0, text), new("signatureId", e.SignatureId), new("generatorId", e.GeneratorId), new("revision", e.Revision)];
        if (!e.Category.IsEmpty) facts.Add(new("category", 0, Text(e.Category)));
        if (e.Severity != 0) facts.Add(new("ruleSeverity", e.Severity));
        if (!e.Action.IsEmpty) facts.Add(new("action", 0, Text(e.Action)));
        if (e.App != App.Unknown) facts.Add(new("app", 0, Text(e.App.Utf8Name())));
        if (!e.Tags.IsEmpty) facts.Add(new("tags", 0, Text(e.Tags)));
        return facts;
    }

    static string Text(ReadOnlySpan<byte> text) => Utf8Text.ToString(text);
}
