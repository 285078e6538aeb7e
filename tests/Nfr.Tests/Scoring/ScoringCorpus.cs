using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>The data sets that lie beside the project's folder; a test that needs one says so and passes where it is absent.</summary>
static class ScoringCorpus
{
    public static string? ProjectFolder
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) return folder.FullName;
            }
            return null;
        }
    }

    public static bool TryPath(string name, ITestOutputHelper output, out string path)
    {
        path = ProjectFolder is { } project ? Path.Combine(project, "..", "shared", "scoring", name) : name;
        if (File.Exists(path)) return true;
        output.WriteLine($"left out: {path} is not there");
        return false;
    }

    public static IEnumerable<string[]> Rows(string path) => File.ReadLines(path).Skip(1).Select(line => line.Split('\t'));
}
