namespace Nfr.Scoring.Names;

/// <summary>The tables of Models/ that are built into this assembly.</summary>
static class Shipped
{
    public static byte[] Read(string name)
    {
        using Stream stream = typeof(Shipped).Assembly.GetManifestResourceStream($"Nfr.Scoring.Models.{name}")
            ?? throw new InvalidOperationException($"The resource {name} is missing from this build.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
