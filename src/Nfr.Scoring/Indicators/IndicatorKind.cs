namespace Nfr.Scoring.Indicators;

/// <summary>What an indicator names. The numbers are part of the tables' hashes.</summary>
public enum IndicatorKind : byte
{
    None,
    /// <summary>A domain and every name below it; lower case.</summary>
    Domain,
    /// <summary>4 or 16 bytes in network order.</summary>
    Address,
    /// <summary>The address's bytes and the port's two.</summary>
    AddressPort,
    /// <summary>The masked address's bytes and one of prefix length, 0 to 128 (for IPv4 plus 96).</summary>
    Network,
    /// <summary>Host (lower case), port unless it is the scheme's, path and query, without scheme. With a slash at its end it is everything below it too.</summary>
    Url,
    /// <summary>A path on any host, from its first slash; with a slash at its end everything below it too.</summary>
    Path,
    /// <summary>16 bytes of MD5.</summary>
    Ja3,
    /// <summary>20 bytes of SHA-1.</summary>
    Certificate,
    /// <summary>A host alone, without the names below it: where the list says "match: exact".</summary>
    Host,
    /// <summary>36 characters, lower case.</summary>
    Ja4,
}
