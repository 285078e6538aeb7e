namespace Nfr.Train.Data;

/// <summary>The data sets that lie beside the project's folder. They are read where they are and never copied into it.</summary>
static class ScoringData
{
    /// <summary>The project's folder, found from where the program lies or runs; null when it runs from nowhere near it.</summary>
    public static string? ProjectFolder
    {
        get
        {
            foreach (string start in new[] { Environment.CurrentDirectory, AppContext.BaseDirectory })
            {
                for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
                {
                    if (File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) return folder.FullName;
                }
            }
            return null;
        }
    }

    public static string DefaultFolder => Path.GetFullPath(Path.Combine(ProjectFolder ?? ".", "..", "shared", "scoring"));

    /// <summary>The cells of a tab-separated file, without its head line.</summary>
    public static IEnumerable<string[]> Rows(string path) => File.ReadLines(path).Skip(1).Select(line => line.Split('\t'));
}
