using System.Text.RegularExpressions;
using Nfr.Scoring;
using Nfr.Events;
using Nfr.Train.Traffic;
using Nfr.Wire;

namespace Nfr.Train.Evaluation;

/// <summary>A line of a public list, read apart from the sensor's own reader, and the event that must meet it.</summary>
static partial class ListLine
{
    [GeneratedRegex("^[0-9a-f]{32}$|^[0-9a-f]{40}$", RegexOptions.IgnoreCase)]
    private static partial Regex Digest();

    /// <summary>The indicator of a line, or null for comments and heads.</summary>
    public static string? IndicatorOf(string line)
    {
        line = line.Trim();
        if (line.Length == 0 || line[0] == '#') return null;
        if (line[0] == '"')
        {
            string[] cells = line.Trim('"').Split("\",\"");
            if (cells[0] is "id" or "first_seen_utc") return null;
            // Feodo names address and port in columns of their own; URLhaus the URL in its third.
            return cells[2].Contains("://", StringComparison.Ordinal) ? cells[2] : $"{cells[1]}:{cells[2]}";
        }
        string[] fields = line.Split('\t', ',');
        if (fields[0] is "domain" or "indicator") return null;
        return fields.FirstOrDefault(f => Digest().IsMatch(f)) ?? fields[0];
    }

    /// <summary>One event that meets the indicator and nothing else, from a client of its own.</summary>
    /// <returns>The severity that it was scored.</returns>
    public static int Meet(Simulated run, string indicator, uint number)
    {
        Address client = Address.FromV4(0x0A00_0000 + (number & 0xFF_FFFF));
        if (Digest().IsMatch(indicator)) return indicator.Length == 32 ? run.Tls("met.example", ja3: indicator) : run.Tls("met.example", certificate: indicator);
        if (indicator.StartsWith('/')) return run.Http("http://met.example" + indicator, "met.example", client: client);
        int scheme = indicator.IndexOf("://", StringComparison.Ordinal);
        string rest = scheme < 0 ? indicator : indicator[(scheme + 3)..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (scheme < 0 && slash > 0 && byte.TryParse(rest.AsSpan(slash + 1), out _) && Address.TryParse(rest.AsSpan(0, slash), out Address network)) return run.Ip(network, 443, ConnectionState.SF, 100, 100, client);
        if (Address.TryParse(rest, out Address address)) return run.Ip(address, 443, ConnectionState.SF, 100, 100, client);
        int colon = rest.LastIndexOf(':');
        if (slash < 0 && colon > 0 && ushort.TryParse(rest.AsSpan(colon + 1), out ushort port) && Address.TryParse(rest.AsSpan(0, colon).Trim("[]"), out address)) return run.Ip(address, port, ConnectionState.SF, 100, 100, client);
        string host = (slash < 0 ? rest : rest[..slash]).Split(':')[0];
        return slash < 0 || scheme is 2 or 3 ? run.Dns(host, client: client) : run.Http((indicator.StartsWith("https", StringComparison.Ordinal) ? "https://" : "http://") + rest, host, client: client);
    }
}
