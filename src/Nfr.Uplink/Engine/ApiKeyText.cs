namespace Nfr.Uplink;

/// <summary>How an API key is shown: never whole.</summary>
public static class ApiKeyText
{
    const string Dots = ".....";

    /// <summary>The first three characters, dots, the last three; a key below ten characters shows its first one, below three nothing.</summary>
    public static string Shadow(string key) => key.Length switch
    {
        < 3 => Dots,
        < 10 => key[..1] + Dots,
        _ => key[..3] + Dots + key[^3..],
    };
}
