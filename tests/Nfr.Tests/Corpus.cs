namespace Nfr.Tests;

/// <summary>Finds the captures and vectors of others, which lie beside the checkout and are not part of it. Tests that want them pass without them, and say so.</summary>
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
}
