using System.Net;
using System.Reflection;

namespace Nfr.Demo;

/// <summary>The indicator lists that travel inside the program: what the demo's sensor reads and what <c>nfr simulate c2</c> visits.</summary>
public static class SampleFeeds
{
    const string Prefix = "feeds/";

    /// <summary>Text of <c>demo-c2.txt</c>: one indicator a line, <c>#</c> comments say what they mean.</summary>
    public static string C2 { get; } = Read("demo-c2.txt");

    /// <summary>The list's domains, in its order.</summary>
    public static IReadOnlyList<string> C2Domains { get; } = [.. Indicators().Where(line => !IPEndPoint.TryParse(line, out _))];

    /// <summary>The list's addresses with ports, in its order.</summary>
    public static IReadOnlyList<IPEndPoint> C2Endpoints { get; } =
        [.. Indicators().Where(line => IPEndPoint.TryParse(line, out _)).Select(line => IPEndPoint.Parse(line))];

    /// <summary>Writes every list into <paramref name="folder"/>, which is made when missing.</summary>
    public static void WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "demo-c2.txt"), C2);
    }

    static IEnumerable<string> Indicators() =>
        C2.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#');

    static string Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)
            ?? throw new InvalidOperationException($"the list {name} is not in the program");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
