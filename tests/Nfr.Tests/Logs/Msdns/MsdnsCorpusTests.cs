using System.Globalization;
using System.Text.Json;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Logs;

/// <summary>Debug logs of others, and what the original makes of one.</summary>
public sealed class MsdnsCorpusTests(ITestOutputHelper output)
{
    static LineOptions Utc => new() { Zone = TimeZoneInfo.Utc };

    [SampleTheory("12-go-nfr-golden/inputs/msdns")]
    [InlineData("all-scope")]
    [InlineData("default-scope")]
    public void What_the_original_posts_is_what_is_read(string scope)
    {
        string inputs = Corpus.Find("12-go-nfr-golden/inputs/msdns");
        foreach (string file in Directory.GetFiles(inputs))
        {
            var parser = new MsdnsParser(Utc);
            DnsTaken taken = new DnsTaken().Read(parser, File.ReadAllLines(file)).Release(parser);
            string golden = Path.Combine(inputs, "..", "..", scope, "msdns", Path.GetFileName(file) + ".dns.ndjson");
            Assert.Equal(File.Exists(golden) ? File.ReadAllLines(golden) : [], taken.Uploads);
            Assert.DoesNotContain(taken.Verdicts, v => v.IsSkip());
        }
    }

    [SampleFact("7-log-samples/msdns")]
    public void Whole_logs_of_others_are_read_as_they_say()
    {
        string folder = Corpus.Find("7-log-samples/msdns");
        foreach (string log in Directory.GetFiles(folder, "*.log"))
        {
            using JsonDocument expected = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(log, ".json")));
            string[] lines = File.ReadAllLines(log);
            foreach (JsonElement record in expected.RootElement.GetProperty("records").EnumerateArray())
            {
                // Each line after all others, so that what tells day from month was read; alone it makes an event where it is a client's query.
                var parser = new MsdnsParser(Utc);
                _ = new DnsTaken().Read(parser, lines).Release(parser);
                string line = lines[record.GetProperty("line").GetInt32() - 1];
                DnsTaken taken = new DnsTaken().Read(parser, line).Release(parser);
                output.WriteLine($"{Path.GetFileName(log)}: {taken.Verdicts[0]}: {line}");
                Assert.False(taken.Verdicts[0].IsSkip());
                bool query = record.TryGetProperty("is_client_query", out JsonElement is_) && is_.GetBoolean();
                Assert.Equal(query ? 1 : 0, taken.Events.Count);
                if (!query) continue;
                DnsTaken.Event e = taken.Events[0];
                Assert.Equal(DateTime.Parse(Text(record, "local_time"), CultureInfo.InvariantCulture), e.Utc);
                Assert.Equal(Text(record, "remote_ip"), e.Source);
                Assert.Equal(Text(record, "qname"), e.Query);
                Assert.Equal(Text(record, "proto") == "tcp" ? 6 : 17, e.Protocol);
                Assert.Equal(int.Parse(Text(record, "xid"), NumberStyles.HexNumber, CultureInfo.InvariantCulture), e.Id);
                Assert.True(DnsTypes.TryParse(System.Text.Encoding.ASCII.GetBytes(Text(record, "qtype")), out ushort type));
                Assert.Equal(type, e.QueryType);
            }
        }
    }

    [SampleFact("7-log-samples/msdns")]
    public void Lines_of_another_reader_s_tests_are_read_as_it_reads_them()
    {
        string folder = Corpus.Find("7-log-samples/msdns");
        foreach (string file in Directory.GetFiles(folder, "*vectors*.json"))
        {
            using JsonDocument vectors = JsonDocument.Parse(File.ReadAllText(file));
            foreach (JsonElement vector in vectors.RootElement.EnumerateArray())
            {
                string line = Text(vector, "line");
                var parser = new MsdnsParser(Utc);
                // A response is an event here only with its query, which is the same line the other way round.
                bool answer = line.Contains(" Snd ", StringComparison.Ordinal) && line.Contains(" R Q ", StringComparison.Ordinal);
                string[] lines = answer ? [line.Replace(" Snd ", " Rcv ", StringComparison.Ordinal).Replace(" R Q ", "   Q ", StringComparison.Ordinal), line] : [line];
                DnsTaken taken = new DnsTaken().Read(parser, lines).Release(parser);
                LineVerdict verdict = taken.Verdicts[^1];
                output.WriteLine($"{verdict}: {line}");
                JsonElement expect = vector.GetProperty("expect");
                if (expect.ValueKind == JsonValueKind.Null)
                {
                    Assert.Empty(taken.Events);
                    Assert.True(verdict.IsSkip() || string.IsNullOrWhiteSpace(line));
                    continue;
                }
                Assert.False(verdict.IsSkip());
                if (taken.Events.Count == 0) continue;
                DnsTaken.Event e = Assert.Single(taken.Events);
                if (expect.TryGetProperty("QuestionName", out JsonElement name)) Assert.Equal(name.GetString(), e.Query);
                if (expect.TryGetProperty("DateTime", out JsonElement time)) Assert.Equal(DateTime.Parse(time.GetString()!, CultureInfo.InvariantCulture), e.Utc);
                if (expect.TryGetProperty("RemoteIP", out JsonElement remote)) Assert.Equal(remote.GetString(), e.Source);
                if (expect.TryGetProperty("Protocol", out JsonElement protocol)) Assert.Equal(protocol.GetString() == "TCP" ? 6 : 17, e.Protocol);
                if (answer && expect.TryGetProperty("ResponseCode", out JsonElement code)) Assert.Equal(code.GetString() == "NXDOMAIN" ? 3 : 0, e.ResponseCode);
            }
        }
    }

    static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
