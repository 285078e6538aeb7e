namespace Nfr.Events;

/// <summary>Who speaks, for formats that say so.</summary>
/// <param name="Version">Of the program, as in "2.0.0".</param>
/// <param name="Id">The sensor's random id, 32 hex digits; it outlives renames.</param>
/// <param name="Host">Name of the machine.</param>
public sealed record SensorIdentity(string Version, string Id, string Host);
