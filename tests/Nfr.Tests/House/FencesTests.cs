using System.Text.RegularExpressions;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.House;

/// <summary>Where pointers and foreign calls may stand, and that no fault goes without counter and test.</summary>
public sealed partial class FencesTests
{
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

    static IEnumerable<string> Sources(string under) => Directory.GetFiles(Path.Combine(Root, under), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    static IEnumerable<string> SourcesOutsideNative => Sources("src").Where(file => !file.Contains("/Nfr.Native/", StringComparison.Ordinal));

    [Fact]
    public void Only_native_may_be_unsafe()
    {
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
        string tests = string.Concat(Sources("tests").Where(f => !f.EndsWith("FencesTests.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
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
