using System.Xml.Linq;

namespace Nfr.Tests;

/// <summary>The arrows of src/ARCHITECTURE.md: who may reference whom. What the table does not have, a project must not have.</summary>
public sealed class ArchitectureTests
{
    static readonly string s_root = Path.GetDirectoryName(global::Nfr.Tests.Nfr.ConfigTests.Shipped("config.yml"))!;

    static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Nfr.Native"] = [],
        ["Nfr.Wire"] = [],
        ["Nfr.Capture"] = ["Nfr.Native", "Nfr.Wire"],
        ["Nfr.Events"] = ["Nfr.Native", "Nfr.Wire"],
        ["Nfr.Logs"] = ["Nfr.Events", "Nfr.Native"],
        ["Nfr.Scoring"] = ["Nfr.Events"],
        ["Nfr.Storage"] = ["Nfr.Events", "Nfr.Native"],
        ["Nfr.Uplink"] = ["Nfr.Events", "Nfr.Native", "Nfr.Storage"],
        ["Nfr"] = ["Nfr.Capture", "Nfr.Events", "Nfr.Logs", "Nfr.Native", "Nfr.Scoring", "Nfr.Storage", "Nfr.Uplink", "Nfr.Wire"],
    };

    static string ProjectFile(string name) => Path.Combine(s_root, "src", name, name + ".csproj");

    [Fact]
    public void Every_room_is_in_the_table() => Assert.Equal(
        s_allowed.Keys.Order(StringComparer.Ordinal),
        Directory.GetFiles(Path.Combine(s_root, "src"), "*.csproj", SearchOption.AllDirectories).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));

    [Fact]
    public void No_room_references_what_the_table_does_not_allow() => Assert.All(s_allowed, room =>
    {
        IEnumerable<string> references = XDocument.Load(ProjectFile(room.Key)).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(((string)r.Attribute("Include")!).Replace('\\', '/')));
        Assert.Empty(references.Except(room.Value));
    });

    [Fact]
    public void Unsafe_code_is_allowed_in_Native_only() => Assert.All(s_allowed.Keys, room =>
        Assert.Equal(room == "Nfr.Native", XDocument.Load(ProjectFile(room)).Descendants("AllowUnsafeBlocks").Any(e => e.Value == "true")));

    [Fact]
    public void Only_the_program_brings_packages() => Assert.All(s_allowed.Keys.Where(r => r != "Nfr"), room =>
        Assert.Empty(XDocument.Load(ProjectFile(room)).Descendants("PackageReference")));

    [Fact]
    public void The_document_has_the_same_table()
    {
        string[] lines = File.ReadAllLines(Path.Combine(s_root, "src", "ARCHITECTURE.md"));
        Assert.All(s_allowed.Where(r => r.Key != "Nfr"), room =>
        {
            string line = Assert.Single(lines, l => l.StartsWith($"| `{room.Key}` |", StringComparison.Ordinal));
            string expected = room.Value.Length == 0 ? "nothing" : string.Join(", ", room.Value.Select(r => r["Nfr.".Length..]).Order(StringComparer.Ordinal));
            string cell = line.Split('|')[^2].Trim();
            Assert.Equal(expected, cell == "nothing" ? cell : string.Join(", ", cell.Split(", ").Order(StringComparer.Ordinal)));
        });
    }
}
