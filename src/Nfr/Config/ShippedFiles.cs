namespace Nfr.Config;

/// <summary>The commented config.yml and scope.yml of this version, as text.</summary>
public static class ShippedFiles
{
    public static string Config => Text("config.yml");
    public static string Scope => Text("scope.yml");

    static string Text(string name)
    {
        using Stream stream = typeof(ShippedFiles).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
