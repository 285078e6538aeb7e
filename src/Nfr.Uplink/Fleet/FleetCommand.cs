using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>Public keys by which commands are believed: ECDSA on P-256, as PEM (-----BEGIN PUBLIC KEY-----).</summary>
public static class FleetKey
{
    /// <summary>The first 16 hex digits of the SHA-256 of the key (SubjectPublicKeyInfo): enough to tell keys apart, and the "kid" of a command.</summary>
    public static string Id(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()).AsSpan(0, 8));

    /// <summary>Of PEM text that holds a public key, or a private one whose public half is meant; null and one sentence when it is none.</summary>
    public static ECDsa? TryRead(string pem, out string fault)
    {
        fault = "";
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.KeySize == 256 && key.ExportParameters(false).Curve.Oid.Value == "1.2.840.10045.3.1.7") return key;
            fault = "the key is not on the curve P-256 (prime256v1); make one with: nfr fleet key";
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            fault = "there is no key in PEM form in it (-----BEGIN PUBLIC KEY-----); make one with: nfr fleet key";
        }
        key.Dispose();
        return null;
    }
}

/// <summary>
/// A command to a sensor: <c>{"command","to":"SITE/ID","sequence","time","arguments":{…}}</c>, sent as a JWS in its compact form (RFC 7515, 7.1) signed with ES256.
/// </summary>
public sealed record FleetCommand
{
    /// <summary>Bytes of a compact JWS that are looked at; more is refused unread.</summary>
    public const int MostBytes = 4096;

    public required string Command { get; init; }
    /// <summary>"SITE/ID".</summary>
    public required string To { get; init; }
    /// <summary>Above every earlier one of the same key to the same sensor.</summary>
    public required long Sequence { get; init; }
    public required DateTimeOffset Time { get; init; }
    /// <summary>Whole numbers and texts by name; what a command does not know it refuses.</summary>
    public IReadOnlyDictionary<string, string> Arguments { get; init; } = new Dictionary<string, string>();

    /// <summary>The message of the topic "command".</summary>
    public byte[] Sign(ECDsa key)
    {
        byte[] header = FleetJson.Make(json =>
        {
            json.WriteStartObject();
            json.WriteString("alg", "ES256");
            json.WriteString("kid", FleetKey.Id(key));
            json.WriteEndObject();
        });
        byte[] payload = FleetJson.Make(json =>
        {
            json.WriteStartObject();
            json.WriteString("command", Command);
            json.WriteString("to", To);
            json.WriteNumber("sequence", Sequence);
            json.WriteString("time", Time.UtcDateTime);
            json.WriteStartObject("arguments");
            foreach ((string name, string value) in Arguments) json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        });
        string input = Base64Url.EncodeToString(header) + "." + Base64Url.EncodeToString(payload);
        byte[] signature = key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return Encoding.ASCII.GetBytes(input + "." + Base64Url.EncodeToString(signature));
    }

    /// <summary>
    /// Takes a message apart and believes it when one of the keys signed it. Null, and why, when not: then nothing in it may be used, were it only to answer.
    /// </summary>
    /// <param name="message">As it came.</param>
    /// <param name="keys">By <see cref="FleetKey.Id"/>.</param>
    /// <param name="key">Who signed.</param>
    /// <param name="refusal">Why not.</param>
    public static FleetCommand? Verify(ReadOnlySpan<byte> message, IReadOnlyDictionary<string, ECDsa> keys, out string key, out FleetRefusal refusal)
    {
        key = "";
        refusal = FleetRefusal.TooLong;
        if (message.Length > MostBytes) return null;
        refusal = FleetRefusal.Malformed;
        int first = message.IndexOf((byte)'.'), last = message.LastIndexOf((byte)'.');
        if (first <= 0 || last <= first || message[(first + 1)..last].Contains((byte)'.')) return null;
        if (Decode(message[..first]) is not { } header || Decode(message[(first + 1)..last]) is not { } payload || Decode(message[(last + 1)..]) is not { } signature) return null;
        // RFC 7515, 4.1.11: an extension that must be understood is understood by nobody here. "alg" is ours to choose and not the sender's.
        if (FleetJson.Read(header, h => h.Text("alg") == "ES256" && !h.Has("crit") ? h.Text("kid") ?? "" : null) is not { } kid) return null;
        refusal = FleetRefusal.Forged;
        if (!keys.TryGetValue(kid, out ECDsa? signer) || signature.Length != 64
            || !signer.VerifyData(message[..last], signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)) return null;
        key = kid;
        refusal = FleetRefusal.Malformed;
        FleetCommand? command = FleetJson.Read(payload, p => p.Text("command") is { } name && p.Text("to") is { } to && p.Whole("sequence") is { } sequence && p.Moment("time") is { } time
            ? new FleetCommand { Command = name, To = to, Sequence = sequence, Time = time, Arguments = p.Under("arguments")?.Flat() ?? new Dictionary<string, string>() }
            : null);
        if (command is not null) refusal = FleetRefusal.None;
        return command;
    }

    static byte[]? Decode(ReadOnlySpan<byte> text)
    {
        // RFC 7515, 2: no padding, no white space; the decoder would take both.
        if (text.ContainsAny(" \t\r\n="u8)) return null;
        byte[] bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        return Base64Url.DecodeFromUtf8(text, bytes, out int consumed, out int written) == System.Buffers.OperationStatus.Done && consumed == text.Length ? bytes[..written] : null;
    }
}

/// <summary>Why a command is not obeyed; each is counted.</summary>
public enum FleetRefusal : byte
{
    None,
    /// <summary>Longer than <see cref="FleetCommand.MostBytes"/>.</summary>
    TooLong,
    /// <summary>No JWS, or its payload is no command.</summary>
    Malformed,
    /// <summary>None of the keys that this sensor knows signed it.</summary>
    Forged,
    /// <summary>It names another sensor.</summary>
    NotForUs,
    /// <summary>Its sequence number is not above the last one.</summary>
    Replayed,
    /// <summary>Made more than five minutes ago, or in the future.</summary>
    Old,
    /// <summary>Believed, but there is no such command, or its arguments make no sense.</summary>
    Unknown,
    /// <summary>Believed, but the sequence numbers cannot be read, or this one not written down, so that it could be replayed.</summary>
    NotNoted,
    /// <summary>It came while too many others waited.</summary>
    Busy,
}
