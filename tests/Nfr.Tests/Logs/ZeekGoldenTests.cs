using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>
/// What the original posted of Zeek's logs. Ours, put through the original's mistakes one by one, must be the same; each mistake is a rule about a kind of line, named where it is
/// made. The rest is equal field by field.
/// </summary>
public sealed class ZeekGoldenTests
{
    [SampleTheory("12-go-nfr-golden")]
    [InlineData("all-scope")]
    [InlineData("default-scope")]
    public void Zeeks_logs_give_the_bodies_of_the_original_but_for_its_mistakes(string folder)
    {
        string golden = Corpus.Find("12-go-nfr-golden");
        Scope scope = folder == "all-scope" ? new Scope([]) : Scope.Default;
        var wrong = new List<string>();
        int compared = 0;
        foreach (string input in Directory.GetFiles(Path.Combine(golden, "inputs", "bro"), "*.log").Order())
        {
            var bed = new LineBed(new ZeekParser(new LineOptions()), scope).File(input);
            string name = Path.GetFileName(input);
            string[] expected = [.. Directory.GetFiles(Path.Combine(golden, folder, "bro"), name + ".*").SelectMany(File.ReadAllLines).Where(l => l.Length > 0 && !Mistakes.IsUnsetAsName(l))];
            string[] ours = [.. Mistakes.Made(File.ReadAllLines(input), bed.Uploads)];
            compared += expected.Length;
            for (int i = 0; i < Math.Max(expected.Length, ours.Length); i++)
            {
                string theirs = i < expected.Length ? Canonical(expected[i]) : "(nothing)", we = i < ours.Length ? Canonical(ours[i]) : "(nothing)";
                if (theirs != we) wrong.Add($"{name} {i}\n  they {theirs}\n  we   {we}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(20)) + $"\n{wrong.Count} differ");
        Assert.True(compared > 50, $"{compared} compared");
    }

    static string Canonical(string json) => JsonNode.Parse(json)!.ToJsonString();
}
