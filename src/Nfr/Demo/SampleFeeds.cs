using System.Reflection;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>The lists that travel inside the program: what the demo's sensor reads and what <c>nfr simulate</c> visits.</summary>
public static class SampleFeeds
{
    const string Prefix = "feeds/";

    /// <summary>The lists that a sensor reads. The two others, look-alikes and mail domains, are names that it has to judge by itself.</summary>
    public static readonly IReadOnlyList<string> IndicatorFiles = ["demo-c2.txt", "demo-sinkholes.txt", "demo-irc.txt", "demo-oast.txt", "demo-tor.txt", "demo-rogue_dns.txt"];

    public static DestinationList C2 { get; } = Of("demo-c2.txt");
    public static DestinationList Sinkholes { get; } = Of("demo-sinkholes.txt");
    public static DestinationList Irc { get; } = Of("demo-irc.txt");
    public static DestinationList Oast { get; } = Of("demo-oast.txt");
    public static DestinationList TorRelays { get; } = Of("demo-tor.txt");
    public static DestinationList Imposters { get; } = Of("imposters.txt");
    public static DestinationList MailDomains { get; } = Of("mail.txt");

    /// <summary>Writes every indicator list into <paramref name="folder"/>, which is made when missing.</summary>
    public static void WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in IndicatorFiles) File.WriteAllText(Path.Combine(folder, name), Text(name));
    }

    /// <summary>A list as it is: one indicator a line, <c>#</c> comments say what they mean.</summary>
    public static string Text(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)
            ?? throw new InvalidOperationException($"the list {name} is not in the program");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    static DestinationList Of(string name) => new([.. DestinationLists.Parse(Text(name).Split('\n'), usualPort: 0)]);
}
