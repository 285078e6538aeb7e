using Nfr.Wire;

namespace Nfr.Scoring.Beacons;

/// <summary>How many of the site's clients use a destination, and how many clients there are.</summary>
/// <param name="domain">A registered domain; empty: the address is asked about.</param>
/// <param name="address">Of the destination.</param>
delegate (int Clients, int SiteClients) Crowd(ReadOnlySpan<byte> domain, in Address address);
