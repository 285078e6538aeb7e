using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>Logs of Zeek by others: competition traffic as columns and as JSON, a server on the Internet, damaged files, and Zeek's own reference logs.</summary>
public sealed class ZeekCorpusTests
{
    static readonly string[] s_events = ["dns", "conn", "http", "ssl"];

    static LineBed Read(string path, CertificateCache? certificates = null) => new LineBed(new ZeekParser(new LineOptions { Certificates = certificates ?? new() })).File(path);

    [SampleFact("3b-zeek-logs/zed")]
    public void Columns_and_JSON_of_the_same_records_give_equal_events()
    {
        string folder = Corpus.Find("3b-zeek-logs/zed");
        // What the certificates say comes with both.
        CertificateCache columns = new(), objects = new();
        int events = 0;
        foreach (string log in Directory.GetFiles(folder, "*.log").OrderByDescending(f => f.Contains("x509", StringComparison.Ordinal)))
        {
            LineBed tsv = Read(log, columns), json = Read(Path.ChangeExtension(log, ".json"), objects);
            Assert.Equal(tsv.Events, json.Events);
            Assert.Equal(0, tsv.Verdicts.Concat(json.Verdicts).Count(v => v.IsSkip()));
            string path = Path.GetFileName(log).Split('-')[1];
            bool isEvent = s_events.Contains(path);
            Assert.Equal(isEvent ? tsv.Verdicts.Count(v => v != LineVerdict.Header) : 0, tsv.Count(LineVerdict.Event));
            events += tsv.Events.Count;
        }
        Assert.Equal(columns.Count, objects.Count);
        Assert.True(columns.Count > 0);
        Assert.True(events > 2000, $"{events} events");
    }

    [SampleFact("3b-zeek-logs/rita")]
    public void A_servers_logs_are_read_without_a_skip_but_for_responses_without_a_request()
    {
        string folder = Corpus.Find("3b-zeek-logs/rita");
        int events = 0;
        foreach (string log in Directory.GetFiles(folder, "*.gz", SearchOption.AllDirectories))
        {
            LineBed bed = Read(log);
            string path = Path.GetFileName(log).Split('.')[0];
            foreach (LineVerdict verdict in bed.Verdicts) Assert.True(!verdict.IsSkip() || verdict == LineVerdict.Url || verdict == LineVerdict.Query, $"{log}: {verdict}");
            Assert.True(s_events.Contains(path) == bed.Events.Count > 0, log);
            events += bed.Events.Count;
        }
        Assert.True(events > 5000, $"{events} events");
    }

    [SampleFact("3b-zeek-logs/rita/dnscat2-agent-http-a.log")]
    public void A_separator_at_each_lines_end_is_no_column()
    {
        string log = Corpus.Find("3b-zeek-logs/rita/dnscat2-agent-http-a.log");
        LineBed bed = Read(log);
        // The others are responses whose request was not seen.
        Assert.Equal(4000, bed.Events.Count + bed.Count(LineVerdict.Url));
        Assert.Equal(195, bed.Count(LineVerdict.Url));
    }

    [SampleFact("3b-zeek-logs/rita/has_unknown_field/http.log")]
    public void A_line_with_a_column_too_few_is_counted_and_the_others_stay()
    {
        string log = Corpus.Find("3b-zeek-logs/rita/has_unknown_field/http.log");
        LineBed bed = Read(log);
        Assert.Equal(1, bed.Count(LineVerdict.Columns));
        Assert.Equal(4, bed.Events.Count);
    }

    [SampleFact("3b-zeek-logs/rita/text_file/conn.log")]
    public void A_text_that_is_no_log_has_no_header()
    {
        string log = Corpus.Find("3b-zeek-logs/rita/text_file/conn.log");
        LineBed bed = Read(log);
        Assert.Empty(bed.Events);
        Assert.Equal(5, bed.Count(LineVerdict.NoHeader));
    }

    [SampleFact("3-zeek-btest/baseline")]
    public void Zeeks_own_reference_logs_are_read()
    {
        string folder = Corpus.Find("3-zeek-btest/baseline");
        int events = 0;
        foreach (string log in Directory.GetFiles(folder, "*.log*", SearchOption.AllDirectories))
        {
            // Their stamps are blotted out.
            LineBed bed = new(new ZeekParser(new LineOptions()));
            bed.Text(File.ReadAllText(log).Replace("XXXXXXXXXX.XXXXXX", "1700000000.123456", StringComparison.Ordinal));
            string path = Path.GetFileName(log).Split('.', '-')[0];
            // Some were cut down to a few columns.
            bool isWhole = File.ReadLines(log).Any(l => l.StartsWith("#fields\tts\t", StringComparison.Ordinal));
            foreach (LineVerdict verdict in isWhole ? bed.Verdicts.Distinct() : [])
            {
                // Lines of requests that were not seen have no URL or name.
                Assert.True(!verdict.IsSkip() || verdict is LineVerdict.Url or LineVerdict.Query or LineVerdict.NoHeader, $"{log}: {verdict}");
            }
            if (!s_events.Any(e => path.StartsWith(e, StringComparison.Ordinal))) Assert.Empty(bed.Events);
            events += bed.Events.Count;
        }
        Assert.True(events > 100, $"{events} events");
    }

    [SampleFact("3b-zeek-logs/ztests")]
    public void The_small_cases_of_another_reader_are_read_or_counted()
    {
        string folder = Corpus.Find("3b-zeek-logs/ztests");
        foreach (string file in Directory.GetFiles(folder, "*.yaml"))
        {
            string text = File.ReadAllText(file).Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal);
            int start = text.IndexOf("#separator", StringComparison.Ordinal), end = text.IndexOf("\noutput", StringComparison.Ordinal);
            if (start < 0 || end < start) continue;
            LineBed bed = new(new ZeekParser(new LineOptions()));
            foreach (string line in text[start..end].Split('\n')) bed.Line(line.StartsWith("  ", StringComparison.Ordinal) ? line[2..] : line);
            string name = Path.GetFileNameWithoutExtension(file);
            bool isEvent = name is "zeek" or "zeek-nonewline" or "nested-record-with-nonadjacent-fields";
            Assert.True(isEvent ? bed.Events.Count > 0 : bed.Events.Count == 0, $"{name}: {bed.Events.Count} events, {string.Join(' ', bed.Verdicts.Distinct())}");
        }
    }
}
