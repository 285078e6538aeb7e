using System.Text.Json;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>SSH and the protocols with log-ins, as Suricata and Zeek saw them, against our ip events.</summary>
public sealed class LoginOracleTests(ITestOutputHelper output)
{
    /// <summary>Zeek's names of services to our apps. What it adds after a comma is a layer within.</summary>
    static readonly Dictionary<string, string> s_services = new(StringComparer.Ordinal)
    {
        ["ssh"] = "ssh", ["ftp"] = "ftp", ["smtp"] = "smtp", ["imap"] = "imap", ["pop3"] = "pop3", ["irc"] = "irc", ["mysql"] = "mysql", ["ldap_tcp"] = "ldap",
    };

    [Fact]
    public void Banners_key_exchanges_and_protocols_agree_for_95_of_100_rows_and_the_rest_is_explained()
    {
        if (!Corpus.TryFind("2-suricata-verify", out string suricata) || !Corpus.TryFind("3-zeek-btest", out string zeek))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("logins", output);
        foreach ((string name, string pcap, JsonElement row) in Rows(suricata))
        {
            if (pcap.EndsWith(".pcap", StringComparison.Ordinal) || pcap.EndsWith(".pcapng", StringComparison.Ordinal)) Suricata(tally, name, Path.Combine(suricata, pcap), row);
        }
        foreach ((string name, string pcap, JsonElement row) in Rows(zeek)) Zeek(tally, name, Path.Combine(zeek, pcap), row);
        tally.Finish(95);
    }

    static IEnumerable<(string Case, string Capture, JsonElement Match)> Rows(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("exact", out JsonElement exact) && !exact.GetBoolean()) continue;
            if (!root.TryGetProperty("pcap", out JsonElement pcap) || pcap.ValueKind != JsonValueKind.String) continue;
            foreach (JsonElement expected in root.GetProperty("expect").EnumerateArray())
            {
                // A row that must not be there says nothing of ours.
                if (expected.TryGetProperty("count", out JsonElement count) && count.GetInt32() == 0) continue;
                yield return (Path.GetFileNameWithoutExtension(file), pcap.GetString()!, expected.GetProperty("match").Clone());
            }
        }
    }

    static void Suricata(Tally tally, string name, string pcap, JsonElement row)
    {
        string type = Text(row, "event_type");
        string app = type == "flow" ? Text(row, "app_proto") : type;
        if (app is not ("ssh" or "ftp" or "smtp" or "pop3" or "imap" or "telnet")) return;
        IEnumerable<JsonElement> flows = DecodedCapture.Read(pcap).Of("ip").Where(e => Text(e, "app") == app && IsFrom(e, row, "src_ip", "dest_ip", "src_port", "dest_port"));
        if (app == "ssh")
        {
            Hold(tally, name, "suricata ssh software", row, "ssh.client.software_version", flows, e => Word(Text(e, "clientSoftware")));
            Hold(tally, name, "suricata ssh software", row, "ssh.server.software_version", flows, e => Word(Text(e, "serverSoftware")));
            Hold(tally, name, "suricata ssh hassh", row, "ssh.client.hassh.hash", flows, e => Text(e, "hassh"));
            Hold(tally, name, "suricata ssh hassh", row, "ssh.server.hassh.hash", flows, e => Text(e, "hasshServer"));
        }
        LogIn(tally, name, app, row, flows, pcap);
        // Of mail and files, the commands, addresses and attachments of each transaction are none of our events'; that it is the protocol is.
        Judge(tally, name, "suricata " + app + " app", row, flows.Any(), pcap);
    }

    /// <summary>Commands that log in, and what was said to them.</summary>
    static void LogIn(Tally tally, string name, string app, JsonElement row, IEnumerable<JsonElement> flows, string pcap)
    {
        string command = Text(row, app + (app == "pop3" ? ".request.command" : ".command"));
        if (command == "USER") Judge(tally, name, "suricata user", row, flows.Any(e => Of(e, "user").Length > 0), pcap);
        string code = row.TryGetProperty("ftp.completion_code", out JsonElement codes) ? codes[0].ToString() : "";
        bool? succeeded = (app, command) switch
        {
            ("ftp", "PASS") when code is "230" or "530" => code == "230",
            // The last of an exchange is the one with an answer of its own.
            ("pop3", "PASS" or "<SASL DATA>") when Text(row, "pop3.response.success").Length > 0 => Text(row, "pop3.response.success") == "True",
            _ => null,
        };
        if (succeeded is { } yes) Judge(tally, name, "suricata log-in", row, flows.Any(e => Of(e, yes ? "successes" : "failures") is not ("" or "0")), pcap);

        static string Of(JsonElement e, string key) => e.TryGetProperty("login", out JsonElement login) ? Text(login, key) : "";
    }

    static void Zeek(Tally tally, string name, string pcap, JsonElement row)
    {
        string path = Text(row, "_path");
        if (path is not ("ssh" or "conn")) return;
        string[] services = path == "ssh" ? ["ssh"] : Text(row, "service").Split(',');
        // Directories and databases are named elsewhere; here it is their change to TLS.
        if (!s_services.TryGetValue(services[0], out string? app) || (app is "ldap" or "mysql" && !services.Contains("ssl"))) return;
        List<JsonElement> flows = [.. DecodedCapture.Read(pcap).Of("ip").Where(e => Text(e, "app") == app && IsFrom(e, row, "id.orig_h", "id.resp_h", "id.orig_p", "id.resp_p"))];
        Judge(tally, name, "zeek " + path + " app", row, flows.Count > 0, pcap);
        if (services.Contains("ssl")) Judge(tally, name, "zeek starttls", row, flows.Exists(e => e.TryGetProperty("notes", out JsonElement notes) && notes.GetRawText().Contains("startTls", StringComparison.Ordinal)), pcap);
        if (path != "ssh") return;
        Hold(tally, name, "zeek ssh software", row, "client", flows, e => Text(e, "clientSoftware"), Software);
        Hold(tally, name, "zeek ssh software", row, "server", flows, e => Text(e, "serverSoftware"), Software);
        if (row.TryGetProperty("auth_success", out _)) tally.LeaveOut(name, "zeek ssh app", "whether an encrypted log-in was taken is a guess from packet sizes");
    }

    static void Hold(Tally tally, string name, string category, JsonElement row, string key, IEnumerable<JsonElement> flows, Func<JsonElement, string> ours, Func<string, string>? theirs = null)
    {
        string expected = Text(row, key);
        if (expected.Length == 0) return;
        if (theirs is not null) expected = theirs(expected);
        if (flows.Any(e => ours(e) == expected)) tally.Agree(name, category);
        else tally.Differ(name, category, $"{key} {expected}, ours: {string.Join("' '", flows.Select(ours))}", null);
    }

    static void Judge(Tally tally, string name, string category, JsonElement row, bool agrees, string pcap)
    {
        if (agrees) tally.Agree(name, category);
        else tally.Differ(name, category, row.ToString().ReplaceLineEndings("") + " ours: " + string.Join(' ', DecodedCapture.Read(pcap).Of("ip").Select(e => Text(e, "app")).Distinct()), Explain(pcap));
    }

    /// <summary>A rule of the protocol, never of a file.</summary>
    static string? Explain(string pcap) =>
        // No packet from the server is longer than its headers: what the client says alone is a line of several protocols, and the port is all that names it.
        DecodedCapture.Read(pcap).Of("ip").All(e => Text(e, "app").Length == 0 && e.GetProperty("bytesIn").GetInt64() <= 60 * e.GetProperty("packetsIn").GetInt64())
            ? "the server said nothing: named by its port alone"
            : null;

    /// <summary>"SSH-2.0-software".</summary>
    static string Software(string identification) => identification[(identification.IndexOf('-', 4) + 1)..];

    static string Word(string software) => software.Split(' ')[0];

    static string Text(JsonElement e, string key) => e.TryGetProperty(key, out JsonElement value) ? value.ToString() : "";

    /// <summary>From the one end to the other, as far as the row names them.</summary>
    static bool IsFrom(JsonElement e, JsonElement row, string from, string to, string fromPort, string toPort) =>
        Fits(e, row, "srcIP", from) && Fits(e, row, "destIP", to) && Fits(e, row, "srcPort", fromPort) && Fits(e, row, "destPort", toPort);

    static bool Fits(JsonElement e, JsonElement row, string ours, string theirs) => !row.TryGetProperty(theirs, out JsonElement value) || Text(e, ours) == value.ToString();
}
