using System.Text;
using Nfr.Logs;
using Xunit.Abstractions;

namespace Nfr.Tests.Logs;

/// <summary>
/// All logs of others go through "format: auto": each is told to be what it is, and no line is skipped but by a rule that is named here. A rule is of a kind of
/// line, never of a file.
/// </summary>
public sealed class AutoCorpusTests(ITestOutputHelper output)
{
    [SampleTheory("12-go-nfr-golden/inputs/bro", "12-go-nfr-golden/inputs/suricata", "12-go-nfr-golden/inputs/msdns", "12-go-nfr-golden/inputs/syslog-named", "12-go-nfr-golden/inputs/edge", "7-log-samples/msdns", "7-log-samples/nfr", "7-log-samples/suricata-eve", "3b-zeek-logs/zed", "3b-zeek-logs/rita", "3b-zeek-logs/ztests")]
    [InlineData("12-go-nfr-golden/inputs/bro", "*", LogFormat.Zeek)]
    [InlineData("12-go-nfr-golden/inputs/suricata", "*", LogFormat.Suricata)]
    [InlineData("12-go-nfr-golden/inputs/msdns", "*", LogFormat.Msdns)]
    [InlineData("12-go-nfr-golden/inputs/syslog-named", "*", LogFormat.Bind)]
    [InlineData("12-go-nfr-golden/inputs/edge", "*", LogFormat.Edge)]
    [InlineData("7-log-samples/msdns", "*.log", LogFormat.Msdns)]
    [InlineData("7-log-samples/nfr", "bro*.log", LogFormat.Zeek)]
    [InlineData("7-log-samples/nfr", "syslog-named*.log", LogFormat.Bind)]
    [InlineData("7-log-samples/nfr", "suricata-eve*.json", LogFormat.Suricata)]
    [InlineData("7-log-samples/suricata-eve", "*eve*.json", LogFormat.Suricata)]
    [InlineData("3b-zeek-logs/zed", "*.log", LogFormat.Zeek)]
    [InlineData("3b-zeek-logs/zed", "*.json", LogFormat.Zeek)]
    [InlineData("3b-zeek-logs/rita", "*.log", LogFormat.Zeek)]
    [InlineData("3b-zeek-logs/rita", "*.gz", LogFormat.Zeek)]
    [InlineData("3b-zeek-logs/ztests", "*.yaml", LogFormat.Zeek)]
    public void Every_log_is_told_and_its_lines_are_read_but_by_the_rules(string folder, string pattern, LogFormat format)
    {
        string path = Corpus.Find(folder);
        int files = 0;
        foreach (string file in Directory.GetFiles(path, pattern, SearchOption.AllDirectories))
        {
            if (file.EndsWith(".expect.json", StringComparison.Ordinal)) continue;
            List<(LineVerdict Verdict, string Line)> read = [];
            var parser = new AutoParser(new LineOptions { Zone = TimeZoneInfo.Utc });
            var bed = new LineBed(parser);
            byte[][] lines = [.. Lines(file)];
            // A text that only has a log's name, and a log that is empty.
            bool isLog = lines.Any(l => FormatGuess.Of(l) == format);
            foreach (byte[] line in lines) read.Add((bed.Line(line), Encoding.Latin1.GetString(line)));
            parser.Release(bed);
            if (!isLog)
            {
                output.WriteLine($"no log: {file}");
                Assert.Empty(bed.Events);
                continue;
            }
            files++;
            Assert.Equal(format, parser.Format);
            string header = "";
            foreach ((LineVerdict verdict, string line) in read)
            {
                if (line.StartsWith("#fields", StringComparison.Ordinal)) header = line;
                if (!verdict.IsSkip()) continue;
                output.WriteLine($"{verdict} {Path.GetRelativePath(path, file)}: {Rule(format, verdict, header, line)}: {line}");
                Assert.True(Rule(format, verdict, header, line) is not null, $"{file}: {verdict}: {line}");
            }
        }
        Assert.True(files > 0, "no log was read");
    }

    /// <summary>Why a line may be skipped; null = for no reason.</summary>
    static string? Rule(LogFormat format, LineVerdict verdict, string header, string line)
    {
        if (format != LogFormat.Zeek) return null;
        string[] names = header.Split('\t')[1..], values = line.Split('\t');
        string Value(string name) => Array.IndexOf(names, name) is >= 0 and var i && i < values.Length ? values[i] : "-";
        return verdict switch
        {
            LineVerdict.Query when Value("query") == "-" => "a response whose query was not seen names nothing",
            LineVerdict.Url when Value("host") == "-" && Value("uri") == "-" => "a response whose request was not seen has no URL",
            LineVerdict.Timestamp when !names.Contains("ts") => "a log without a column for the time has none",
            LineVerdict.Columns when values.Length != names.Length => "a line that was cut has not the columns of its header",
            _ => null,
        };
    }

    static IEnumerable<byte[]> Lines(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        if (bytes is [0x1F, 0x8B, ..])
        {
            using var zip = new System.IO.Compression.GZipStream(new MemoryStream(bytes), System.IO.Compression.CompressionMode.Decompress);
            var whole = new MemoryStream();
            zip.CopyTo(whole);
            bytes = whole.ToArray();
        }
        string text = Encoding.Latin1.GetString(bytes);
        // Another reader's test cases have the log within.
        if (file.EndsWith(".yaml", StringComparison.Ordinal))
        {
            text = text.Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal);
            int start = text.IndexOf("#separator", StringComparison.Ordinal), end = text.IndexOf("\noutput", StringComparison.Ordinal);
            if (start < 0 || end < start) yield break;
            bool quoted = text[start - 1] == '"';
            text = text[start..end].Replace("\n  ", "\n", StringComparison.Ordinal);
            if (quoted) text = text[..text.LastIndexOf('"')].Replace("\\\\", "\\", StringComparison.Ordinal);
        }
        foreach (string line in text.Split('\n')) yield return Encoding.Latin1.GetBytes(line.TrimEnd('\r'));
    }
}
