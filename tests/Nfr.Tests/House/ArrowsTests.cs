using System.Text.RegularExpressions;
using System.Xml.Linq;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.House;

/// <summary>The house as ARCHITECTURE.md draws it: who may know whom, and where pointers and foreign calls may stand.</summary>
public sealed partial class ArrowsTests
{
    /// <summary>What each project may reference. An edge that is not here needs a decision, then a line here and in ARCHITECTURE.md.</summary>
    static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Nfr.Native"] = [],
        ["Nfr.Wire"] = [],
        ["Nfr.Capture"] = ["Nfr.Native", "Nfr.Wire"],
        ["Nfr.Events"] = ["Nfr.Wire"],
        ["Nfr.Logs"] = ["Nfr.Events", "Nfr.Native"],
        ["Nfr.Scoring"] = ["Nfr.Events"],
        ["Nfr.Storage"] = ["Nfr.Events", "Nfr.Native"],
        ["Nfr.Uplink"] = ["Nfr.Storage", "Nfr.Events", "Nfr.Native"],
        ["Nfr"] = ["Nfr.Native", "Nfr.Wire", "Nfr.Capture", "Nfr.Events", "Nfr.Logs", "Nfr.Scoring", "Nfr.Storage", "Nfr.Uplink"],
    };

    /// <summary>Faults that no test names, each with the reason.</summary>
    static readonly Dictionary<DecodeFault, string> s_untested = [];

    static string Root
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) folder = folder.Parent;
            return folder?.FullName ?? throw new DirectoryNotFoundException("Nfr.slnx");
        }
    }

    static IEnumerable<string> Projects => Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories);

    static IEnumerable<string> Sources(string under) => Directory.GetFiles(Path.Combine(Root, under), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    static IEnumerable<string> SourcesOutsideNative => Sources("src").Where(file => !file.Contains("/Nfr.Native/", StringComparison.Ordinal));

    [Fact]
    public void Every_project_of_the_house_is_in_the_table() =>
        Assert.Equal(s_allowed.Keys.Order(StringComparer.Ordinal), Projects.Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));

    [Fact]
    public void No_project_references_what_the_table_does_not_allow()
    {
        foreach (string project in Projects)
        {
            string name = Path.GetFileNameWithoutExtension(project);
            foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
            {
                string target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'));
                Assert.True(s_allowed[name].Contains(target), $"{name} may not reference {target}");
            }
        }
    }

    [Fact]
    public void The_table_has_no_circle()
    {
        var done = new HashSet<string>();
        while (done.Count < s_allowed.Count)
        {
            string[] next = [.. s_allowed.Where(p => !done.Contains(p.Key) && p.Value.All(done.Contains)).Select(p => p.Key)];
            Assert.NotEmpty(next);
            done.UnionWith(next);
        }
    }

    [Fact]
    public void Only_native_may_be_unsafe()
    {
        string[] allowing = [.. Projects.Where(p => XDocument.Load(p).Descendants("AllowUnsafeBlocks").Any(e => e.Value == "true")).Select(Path.GetFileNameWithoutExtension)!];
        Assert.Equal(["Nfr.Native"], allowing);
        foreach (string file in Directory.GetFiles(Root, "Directory.*.props")) Assert.DoesNotContain("AllowUnsafeBlocks", File.ReadAllText(file), StringComparison.Ordinal);
        foreach (string file in SourcesOutsideNative) Assert.False(UnsafeWord().IsMatch(Code(file)), $"{file} says unsafe");
    }

    [Fact]
    public void Only_native_calls_foreign_code()
    {
        foreach (string file in SourcesOutsideNative) Assert.False(ForeignCall().IsMatch(Code(file)), $"{file} imports a native function");
    }

    [Fact]
    public void Native_imports_by_source_generation_alone()
    {
        foreach (string file in Sources("src/Nfr.Native")) Assert.False(Code(file).Contains("[DllImport", StringComparison.Ordinal), $"{file} uses DllImport");
    }

    [Fact]
    public void Every_fault_has_a_counter_and_a_test()
    {
        Assert.Equal((int)DecodeFault.Count, new DecodeCounters().Faults.Length);
        DecodeFault[] faults = [.. Enum.GetValues<DecodeFault>().Where(f => f is not DecodeFault.None and not DecodeFault.Count)];
        Assert.Equal(Enumerable.Range(1, (int)DecodeFault.Count - 1), faults.Select(f => (int)f));
        string tests = string.Concat(Sources("tests").Where(f => !f.EndsWith("ArrowsTests.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        foreach (DecodeFault fault in faults)
        {
            bool named = Regex.IsMatch(tests, $@"DecodeFault\.{fault}\b");
            Assert.True(named != s_untested.ContainsKey(fault), named ? $"{fault} has a test now: take it off the list" : $"{fault} is named by no test");
        }
    }

    /// <summary>A file without its comments.</summary>
    static string Code(string file) => Comment().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bunsafe\b(?!-)")]
    private static partial Regex UnsafeWord();

    [GeneratedRegex(@"\[(return: )?(DllImport|LibraryImport)\b|NativeLibrary\.(Load|TryLoad|GetExport)")]
    private static partial Regex ForeignCall();
}
