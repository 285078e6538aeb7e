namespace Nfr.Tests;

/// <summary>Finds the captures and vectors of others, which lie beside the checkout and are not part of it. Tests that want them are skipped without them, and say so.</summary>
internal static class Corpus
{
    public static bool TryFind(string relative, out string path)
    {
        path = "";
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) continue;
            path = Path.GetFullPath(Path.Combine(folder.FullName, "..", "shared", "corpus", relative));
            return Path.Exists(path);
        }
        return false;
    }

    /// <summary>For tests that <see cref="SampleFactAttribute"/> or <see cref="SampleTheoryAttribute"/> skips where it is not there.</summary>
    public static string Find(string relative) => TryFind(relative, out string path) ? path : throw new FileNotFoundException($"not in the corpus: {relative}");

    /// <summary>Null when all of them are there; without a name: when there is a corpus at all.</summary>
    public static string? WhyNot(string[] needs)
    {
        string[] missing = [.. (needs.Length == 0 ? [""] : needs).Where(n => !TryFind(n, out _))];
        return missing.Length == 0 ? null : $"not beside this checkout: ../shared/corpus/{string.Join(", ", missing)}";
    }
}

/// <summary>A test on samples of others; skipped with its reason where they are not.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class SampleFactAttribute : FactAttribute
{
    public SampleFactAttribute(params string[] needs) => (Needs, Skip) = (needs, Corpus.WhyNot(needs));

    public string[] Needs { get; }
}

/// <inheritdoc cref="SampleFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
sealed class SampleTheoryAttribute : TheoryAttribute
{
    public SampleTheoryAttribute(params string[] needs) => (Needs, Skip) = (needs, Corpus.WhyNot(needs));

    public string[] Needs { get; }
}

/// <summary>A test against a program of others; skipped with its reason where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class InstalledFactAttribute : FactAttribute
{
    public InstalledFactAttribute(string program) => (Program, Skip) = (program, WhyNot(program));

    public string Program { get; }

    internal static string? WhyNot(string program) => File.Exists(program) ? null : $"{program} is not installed";
}

/// <inheritdoc cref="InstalledFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
sealed class InstalledTheoryAttribute : TheoryAttribute
{
    public InstalledTheoryAttribute(string program) => (Program, Skip) = (program, InstalledFactAttribute.WhyNot(program));

    public string Program { get; }
}
