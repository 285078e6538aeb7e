using System.Globalization;
using System.Text.Json;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>Names, fingerprints and certificates of TLS, QUIC and DTLS, as FoxIO's, arkime's, ipfixprobe's and nDPI's own tests expect them.</summary>
public sealed class FingerprintOracleTests(ITestOutputHelper output)
{
    [Fact]
    public void Handshakes_are_as_FoxIO_expects()
    {
        if (!TryFind("1-ja3-ja4", out string folder)) return;
        var tally = new Tally("ja4-foxio", output);
        foreach (string file in Directory.EnumerateFiles(folder, "*.expect.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string name = Path.GetFileName(file)[..^".expect.json".Length];
            var events = new EventsByEnds(DecodedCapture.Read(Path.Combine(folder, name)));
            foreach (JsonElement row in document.RootElement.GetProperty("expect").EnumerateArray().Select(r => r.GetProperty("match")))
            {
                string[] keys = [.. row.EnumerateObject().Select(p => p.Name)];
                if (!keys.Any(k => k is "tls.sni" or "tls.ja4" or "tls.subject_cn")) continue;
                List<JsonElement> tls = Tls(events, row);
                if (tls.Count == 0) tally.Differ(name, "tuple", row.GetRawText(), null);
                else tally.Agree(name, "tuple");
                Hold(tally, name, "sni", row, tls, "sni", Get(row, "tls.sni"));
                Hold(tally, name, "ja4", row, tls, "ja4", ByTheText(Get(row, "tls.ja4"), tls));
                Hold(tally, name, "certificate", row, tls.Select(e => CommonName(e, "subject")), Get(row, "tls.subject_cn"));
                Hold(tally, name, "certificate", row, tls.Select(e => CommonName(e, "issuer")), Get(row, "tls.issuer_cn"));
            }
        }
        tally.Finish(98);
    }

    [Fact]
    public void Handshakes_are_as_nDPI_expects()
    {
        if (!TryFind("4-ndpi", out string folder)) return;
        var tally = new Tally("ndpi-tls", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string name = Path.GetFileNameWithoutExtension(file);
            EventsByEnds? events = null;
            int refused = 0;
            foreach (JsonElement row in document.RootElement.GetProperty("flows").EnumerateArray())
            {
                if (Get(row, "JA3C") is null && Get(row, "JA4") is null && Get(row, "JA3S") is null && Get(row, "Certificate SHA-1") is null) continue;
                events ??= new EventsByEnds(DecodedCapture.Read(Path.Combine(folder, Get(document.RootElement, "pcap")!)));
                List<JsonElement> tls = Tls(events, row);
                // Each hello that is not whole explains one flow without an event.
                bool broken = tls.Count == 0 && refused++ < events.BrokenHellos;
                if (tls.Count == 0 && (broken || Between("ip", events, row).Count == 0))
                {
                    foreach ((string category, string key) in new[] { ("sni", "Hostname/SNI"), ("ja3", "JA3C"), ("ja3s", "JA3S"), ("ja4", "JA4"), ("certificate", "Certificate SHA-1") })
                    {
                        if (Get(row, key) is not null) tally.Differ(name, category, Ends(row), broken ? "a hello that is not whole is counted as a fault, and has no fingerprint" : "no such flow: within an encapsulation or a link type that is not read");
                    }
                    continue;
                }
                if (Get(row, "JA3C") is not null) Hold(tally, name, "sni", row, tls, "sni", Get(row, "Hostname/SNI"));
                Hold(tally, name, "ja3", row, tls, "ja3", Get(row, "JA3C"));
                Hold(tally, name, "ja3s", row, tls, "ja3s", Get(row, "JA3S")?.Split(' ')[0]);
                Hold(tally, name, "certificate", row, tls, "certHash", Get(row, "Certificate SHA-1")?.Replace(":", "", StringComparison.Ordinal));
                if (row.TryGetProperty("JA4_recomputed", out JsonElement byTheText))
                {
                    // The corpus has the value by the text beside the tool's own, which is not.
                    foreach (JsonElement ja4 in byTheText.EnumerateArray()) Hold(tally, name, "ja4", row, tls, "ja4", ja4.GetString());
                }
                else if (Get(row, "JA4") is { } ja4)
                {
                    HoldUnverified(tally, name, row, tls, ja4);
                }
            }
        }
        // Of QUIC's 131 rows three are of versions with keys of their own.
        tally.Finish(97);
    }

    [Fact]
    public void Sessions_are_as_arkime_expects()
    {
        if (!TryFind("1b-arkime-ipfixprobe/arkime", out string folder)) return;
        var tally = new Tally("arkime", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string name = Path.GetFileNameWithoutExtension(file);
            var events = new EventsByEnds(DecodedCapture.Read(Path.Combine(folder, "pcaps", name)));
            foreach (JsonElement row in document.RootElement.GetProperty("expect").EnumerateArray().Select(r => r.GetProperty("match")))
            {
                if (!EventsByEnds.Has(row, "tls") && !EventsByEnds.Has(row, "cert")) continue;
                ArkimeFlow(tally, name, row, events);
                List<JsonElement> tls = Tls(events, row);
                foreach ((string theirs, string key) in new[] { ("ja3", "ja3"), ("ja3s", "ja3s"), ("ja4", "ja4") })
                {
                    if (!row.TryGetProperty("tls", out JsonElement hellos) || !hellos.TryGetProperty(theirs, out JsonElement values)) continue;
                    foreach (JsonElement value in values.EnumerateArray()) Hold(tally, name, theirs, row, tls, key, value.GetString(), events.BrokenHellos > 0);
                }
                if (row.TryGetProperty("cert", out JsonElement chain))
                    HoldLeaf(tally, name, row, tls, [.. chain.EnumerateArray().Select(Hash)]);
            }
        }
        // Of 19 server hellos one is malformed.
        tally.Finish(94);
    }

    /// <summary>arkime keeps a set of the chain's certificates without their order; an event carries the leaf, so ours must be one of them.</summary>
    static void HoldLeaf(Tally tally, string name, JsonElement row, List<JsonElement> tls, string[] chain)
    {
        string?[] ours = [.. tls.Select(e => Get(e, "certHash")).Where(h => h is not null)];
        if (ours.Length > 0 && ours.All(chain.Contains)) tally.Agree(name, "certificate");
        else Hold(tally, name, "certificate", row, ours, chain[0]);
    }

    static string Hash(JsonElement certificate) => Get(certificate, "hash")!.Replace(":", "", StringComparison.Ordinal);

    static void ArkimeFlow(Tally tally, string name, JsonElement row, EventsByEnds events)
    {
        List<JsonElement> flows = Between("ip", events, row);
        if (flows.Count == 0)
        {
            tally.Differ(name, "tuple", Ends(row), null);
            return;
        }
        tally.Agree(name, "tuple");
        Hold(tally, name, "communityId", row, flows, "communityId", Get(row, "community_id"));
        // Whichever end spoke first.
        long[] packets = [.. new[] { "packetsOut", "packetsIn" }.Select(k => flows.Sum(f => f.GetProperty(k).GetInt64())).Order()];
        long[] expected = [.. new[] { "pkts_toserver", "pkts_toclient" }.Select(k => row.GetProperty(k).GetInt64()).Order()];
        Hold(tally, name, "packets", row, [string.Join('+', packets)], string.Join('+', expected));
    }

    [Fact]
    public void Hellos_are_as_ipfixprobe_expects()
    {
        if (!TryFind("1b-arkime-ipfixprobe/ipfixprobe", out string folder)) return;
        var tally = new Tally("ipfixprobe", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.csv").Order(StringComparer.Ordinal))
        {
            string[] lines = File.ReadAllLines(file);
            // Its lines are sorted, so the one with the names stands anywhere.
            string[]? header = lines.FirstOrDefault(l => l.StartsWith("ipaddr DST_IP", StringComparison.Ordinal))?.Split(',');
            if (header is null || !header.Contains("bytes TLS_JA3")) continue;
            string name = string.Join('.', Path.GetFileName(file).Split('.')[..2]);
            var events = new EventsByEnds(DecodedCapture.Read(Path.Combine(folder, "pcaps", name)));
            int At(string key) => Array.FindIndex(header, h => h.EndsWith(" " + key, StringComparison.Ordinal));
            foreach (string line in lines.Where(l => !l.StartsWith("ipaddr", StringComparison.Ordinal)))
            {
                string[] row = line.Split(',');
                if (row.Length < header.Length) continue;
                string Value(string key) => row[At(key)].Trim('"');
                List<JsonElement> Of(string type) => events.Between(type, Value("SRC_IP"), int.Parse(Value("SRC_PORT"), CultureInfo.InvariantCulture), Value("DST_IP"), int.Parse(Value("DST_PORT"), CultureInfo.InvariantCulture));
                void Check(string category, string key, string expected)
                {
                    if (expected.Length == 0) return;
                    if (Of("tls").Any(e => string.Equals(Get(e, key), expected, StringComparison.OrdinalIgnoreCase))) tally.Agree(Path.GetFileName(file), category);
                    else tally.Differ(Path.GetFileName(file), category, $"{expected}, ours {string.Join(' ', Of("tls").Select(e => Get(e, key)))} {line[..60]}", null);
                }
                if (Of("ip").Count > 0) tally.Agree(Path.GetFileName(file), "tuple");
                else tally.Differ(Path.GetFileName(file), "tuple", line[..Math.Min(line.Length, 160)], null);
                Check("sni", "sni", Value("TLS_SNI"));
                Check("ja3", "ja3", Value("TLS_JA3"));
                // The tool counts GREASE among the extensions, the text does not; the row tells how many there were.
                int grease = Value("TLS_EXT_TYPE").Trim('[', ']').Split('|').Count(t => ushort.TryParse(t, CultureInfo.InvariantCulture, out ushort type) && Grease.Is(type));
                string ja4 = Value("TLS_JA4");
                Check("ja4", "ja4", string.Create(CultureInfo.InvariantCulture, $"{ja4[..6]}{int.Parse(ja4[6..8], CultureInfo.InvariantCulture) - grease:00}{ja4[8..]}"));
            }
        }
        tally.Finish(98);
    }

    [Fact]
    public void Hellos_have_the_texts_and_hashes_of_open_ch()
    {
        if (!TryFind("1b-arkime-ipfixprobe/open-ch-ja3", out string folder)) return;
        int count = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "vectors-ok-*.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement vector in document.RootElement.EnumerateArray())
            {
                var reader = new TlsHandshakeReader(Convert.FromHexString(Get(vector, "payload_hex")!), new byte[65536]);
                Assert.Equal(ReadState.Complete, reader.MoveNext());
                Assert.Equal(DecodeFault.None, TlsClientHello.TryRead(reader.Body, out TlsClientHello hello));
                byte[] text = new byte[Ja3.MaxTextLength];
                Assert.Equal(Get(vector, "ja3_string"), System.Text.Encoding.ASCII.GetString(text, 0, Ja3.WriteText(hello, text)));
                count++;
            }
        }
        output.WriteLine($"{count} vectors");
    }

    bool TryFind(string relative, out string folder)
    {
        if (Corpus.TryFind(relative, out folder)) return true;
        output.WriteLine("skipped: the corpus is not beside the checkout");
        return false;
    }

    static List<JsonElement> Tls(EventsByEnds events, JsonElement row) => Between("tls", events, row);

    static List<JsonElement> Between(string type, EventsByEnds events, JsonElement row) =>
        events.Between(type, Get(row, "src_ip")!, Number(row, "src_port"), Get(row, "dest_ip")!, Number(row, "dest_port"));

    static string Ends(JsonElement row) =>
        $"{Get(row, "proto")} {Get(row, "src_ip")}:{Get(row, "src_port")} {Get(row, "dest_ip")}:{Get(row, "dest_port")} {Get(row, "app_proto")} {Get(row, "version")}";

    static string? Get(JsonElement row, string key) => EventsByEnds.Text(row, key);

    static int Number(JsonElement row, string key) => row.TryGetProperty(key, out JsonElement number) ? number.GetInt32() : -1;

    static void Hold(Tally tally, string name, string category, JsonElement row, List<JsonElement> events, string key, string? expected, bool broken = false) =>
        Hold(tally, name, category, row, events.Select(e => Get(e, key)), expected, broken);

    static void Hold(Tally tally, string name, string category, JsonElement row, IEnumerable<string?> ours, string? expected, bool broken = false)
    {
        if (string.IsNullOrEmpty(expected)) return;
        string?[] values = [.. ours];
        if (values.Contains(expected, StringComparer.OrdinalIgnoreCase)) tally.Agree(name, category);
        else tally.Differ(name, category, $"{expected}, ours: {string.Join(' ', values)}; {Ends(row)}", Reason(category, row, values, broken));
    }

    /// <param name="broken">A hello of the capture was not whole, and counted.</param>
    static string? Reason(string category, JsonElement row, string?[] ours, bool broken)
    {
        string app = Get(row, "app_proto") ?? "";
        if (Get(row, "QUIC ver") is { } version && version.Contains("mvfst", StringComparison.OrdinalIgnoreCase)) return "a private version of QUIC with keys of its own (mvfst)";
        if (category == "sni" && ours.All(o => o is null) && (app.StartsWith("SMTPS", StringComparison.Ordinal) || app.StartsWith("POPS", StringComparison.Ordinal)))
            return "the hello has no name; the tool's is of the greeting";
        if (category == "ja4" && app == "DTLS" && Get(row, "version") is null) return "a DTLS version before the standard, which the text's table does not have";
        if (ours.Length == 0 || ours.Any(o => o is not null)) return null;
        if (broken && category is "ja3" or "ja3s" or "ja4") return "extensions of the hello are not whole: a fault is counted, and there is no fingerprint";
        return null;
    }

    /// <summary>
    /// nDPI's own JA4 where the corpus has none by the text: it takes the ALPN's first two characters instead of the first and the last, says "d" without a
    /// name, and hashes an empty list. Its third part for QUIC is of another list than FoxIO's own values for the same browsers.
    /// </summary>
    static void HoldUnverified(Tally tally, string name, JsonElement row, List<JsonElement> tls, string expected)
    {
        string?[] ours = [.. tls.Select(e => Get(e, "ja4"))];
        if (expected[0] == 'q') Hold(tally, name, "ja4 of QUIC, a and b", row, ours.Select(o => o is null ? null : Loose(o)[..^13]), Loose(expected)[..^13]);
        else if (ours.Contains(expected) || !ours.Any(o => o is not null && Loose(o) == Loose(expected))) Hold(tally, name, "ja4", row, ours, expected);
        else tally.LeaveOut(name, "ja4", "the tool's JA4 is not by the text in its ALPN, name flag or empty list");
    }

    static string Loose(string ja4) => ja4[..3] + "?" + ja4[4..9] + "?" + ja4[10..].Replace("e3b0c44298fc", "000000000000", StringComparison.Ordinal);

    /// <summary>The tools print "99" for an ALPN name that does not begin and end with a letter or digit; the text has the hex rule since.</summary>
    static string? ByTheText(string? expected, List<JsonElement> tls)
    {
        if (expected is null || expected.Length < 10 || expected[8..10] != "99") return expected;
        string? ours = tls.Select(e => Get(e, "ja4")).FirstOrDefault(j => j is not null && j[..8] == expected[..8] && j[10..] == expected[10..]);
        return ours is null || char.IsAsciiLetterOrDigit(ours[8]) is false ? expected : expected[..8] + ours[8..10] + expected[10..];
    }

    static string? CommonName(JsonElement e, string key)
    {
        string? name = Get(e, key);
        int start = name is null ? -1 : name.StartsWith("CN=", StringComparison.Ordinal) ? 3 : name.IndexOf(",CN=", StringComparison.Ordinal) is >= 0 and var at ? at + 4 : -1;
        if (start < 0) return null;
        int end = start;
        while (end < name!.Length && (name[end] != ',' || name[end - 1] == '\\')) end++;
        return name[start..end].Replace("\\", "", StringComparison.Ordinal);
    }
}
