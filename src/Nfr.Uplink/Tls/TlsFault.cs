namespace Nfr.Uplink;

/// <summary>Why a handshake failed.</summary>
/// <param name="Sentence">For people.</param>
/// <param name="ClockUnset">It is our clock that is at fault, most likely: worth trying again as soon as it is set (<see cref="ClockWait"/>).</param>
public sealed record TlsFault(string Sentence, bool ClockUnset);
