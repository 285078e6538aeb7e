using System.Text;
using Nfr.Events;

namespace Nfr.Logs.Suricata;

public sealed partial class EveParser
{
    /// <summary>
    /// A rule has matched. What else the record holds of the flow, such as its http or tls, has a record of its own: it makes this event alone.
    /// </summary>
    LineVerdict ReadAlert(ref EveRecord record, IEventSink sink)
    {
        if (!Wants(EventType.Signature)) return LineVerdict.Unwanted;
        if (record.Fault is not LineVerdict.Event and var fault) return fault;
        if (record.Alert.Kind != JsonKind.Object) return LineVerdict.Other;
        // The packet that matched may be the server's.
        if (record.IsToClient) record.Exchange();
        Stamp(ref record.Context, record.Context.Timestamp);
        var e = new SignatureEvent { Context = record.Context, App = record.App, Sensor = "suricata"u8 };
        JsonRaw metadata = default;
        JsonLineReader json = JsonLineReader.Object(record.Alert.Bytes);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("signature"u8)) e.Signature = _text.Of(value);
            else if (key.SequenceEqual("signature_id"u8)) e.SignatureId = EveWords.Number(value);
            else if (key.SequenceEqual("gid"u8)) e.GeneratorId = EveWords.Number(value);
            else if (key.SequenceEqual("rev"u8)) e.Revision = EveWords.Number(value);
            else if (key.SequenceEqual("category"u8)) e.Category = _text.Of(value);
            else if (key.SequenceEqual("severity"u8)) e.Severity = (byte)Math.Min(EveWords.Number(value), byte.MaxValue);
            else if (key.SequenceEqual("action"u8)) e.Action = _text.Of(value);
            else if (key.SequenceEqual("metadata"u8) && value.Kind == JsonKind.Object) metadata = value;
        }
        e.Notes = ByCategory(e.Category) | ByName(e.Signature);
        if (metadata.Kind == JsonKind.Object) ReadMetadata(metadata.Bytes, ref e);
        sink.OnSignature(e);
        return LineVerdict.Event;
    }

    /// <summary>
    /// What rule sets say in lists of words: tags, the family of malware, and the category that a rule has or had before: one that was of policy once may be
    /// more by now.
    /// </summary>
    void ReadMetadata(ReadOnlySpan<byte> metadata, ref SignatureEvent e)
    {
        JsonRaw tags = default, families = default;
        JsonLineReader json = JsonLineReader.Object(metadata);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("tag"u8)) tags = value;
            else if (key.SequenceEqual("malware_family"u8)) families = value;
            else if (key.SequenceEqual("former_category"u8)) e.Notes |= ByWord(_text.First(value)) & ~SignatureNotes.Policy;
        }
        ReadOnlySpan<byte> tag = _text.Joined(tags), family = _text.Joined(families);
        if (!family.IsEmpty) e.Notes |= SignatureNotes.Malware;
        foreach (Range word in tag.Split((byte)',')) e.Notes |= ByWord(tag[word]);
        if (tag.IsEmpty || family.IsEmpty)
        {
            e.Tags = tag.IsEmpty ? family : tag;
            return;
        }
        Span<byte> both = _text.Rest;
        if (both.Length < tag.Length + 1 + family.Length) return;
        tag.CopyTo(both);
        both[tag.Length] = (byte)',';
        family.CopyTo(both[(tag.Length + 1)..]);
        e.Tags = _text.Take(tag.Length + 1 + family.Length);
    }

    /// <summary>The texts of Suricata's own classification.config.</summary>
    static SignatureNotes ByCategory(ReadOnlySpan<byte> category) =>
        Is(category, "Potential Corporate Privacy Violation"u8) || Is(category, "Inappropriate Content was Detected"u8) ? SignatureNotes.Policy
        : Is(category, "Malware Command and Control Activity Detected"u8) || Is(category, "Domain Observed Used for C2 Detected"u8) ? SignatureNotes.CommandAndControl | SignatureNotes.Malware
        : Is(category, "A Network Trojan was detected"u8) || Is(category, "A Network Trojan was Detected"u8) ? SignatureNotes.Malware
        : Is(category, "Crypto Currency Mining Activity Detected"u8) ? SignatureNotes.Cryptomining
        : Is(category, "Possible Social Engineering Attempted"u8) || Is(category, "Successful Credential Theft Detected"u8) ? SignatureNotes.Phishing : SignatureNotes.None;

    /// <summary>"ET POLICY …": the second word of the rule sets' names is the category.</summary>
    static SignatureNotes ByName(ReadOnlySpan<byte> signature)
    {
        int first = signature.IndexOf((byte)' ');
        if (first is < 2 or > 8) return SignatureNotes.None;
        ReadOnlySpan<byte> rest = signature[(first + 1)..];
        int second = rest.IndexOf((byte)' ');
        return second < 0 ? SignatureNotes.None : ByWord(rest[..second]);
    }

    static SignatureNotes ByWord(ReadOnlySpan<byte> word) =>
        Is(word, "POLICY"u8) ? SignatureNotes.Policy
        : Is(word, "MALWARE"u8) || Is(word, "TROJAN"u8) ? SignatureNotes.Malware
        : Is(word, "C2"u8) || Is(word, "CNC"u8) ? SignatureNotes.CommandAndControl
        : Is(word, "COINMINER"u8) ? SignatureNotes.Cryptomining
        : Is(word, "PHISHING"u8) ? SignatureNotes.Phishing : SignatureNotes.None;

    static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(text, word);
}
