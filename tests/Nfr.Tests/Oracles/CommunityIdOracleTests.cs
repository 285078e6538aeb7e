using System.Text.Json;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>Community IDs of the reference implementation (Corelight's specification and baselines), against our ip events: default settings.</summary>
public sealed class CommunityIdOracleTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_flow_has_the_references_identifier()
    {
        if (!Corpus.TryFind("5-community-id", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("community-id", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            HashSet<string> ours = [.. DecodedCapture.Read(Path.Combine(folder, "pcaps", name)).Of("ip").Select(e => e.GetProperty("communityId").GetString()!)];
            foreach (JsonElement row in document.RootElement.GetProperty("deflt").EnumerateArray())
            {
                string expected = row.GetProperty("communityid").GetString()!;
                if (ours.Contains(expected)) tally.Agree(name, "flows");
                else tally.Differ(name, "flows", row.GetRawText(), null);
            }
        }
        tally.Finish(100);
    }
}
