using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// Reads a durable mark and tells "never set" from "cannot be read now". The spool says null (or 0) to both, and taking the second for the
/// first would fetch or write every alert again.
/// </summary>
public static class SureRead
{
    /// <summary>False when the spool met a fault meanwhile: try again later.</summary>
    public static bool TryState(Spool spool, string name, out string? value, out string fault) =>
        TryRead(spool, () => spool.GetState(name), static value => value is null, out value, out fault);

    public static bool TryBookmark(Spool spool, string name, out long value, out string fault) =>
        TryRead(spool, () => spool.GetBookmark(name), static value => value == 0, out value, out fault);

    static bool TryRead<T>(Spool spool, Func<T> read, Predicate<T> absent, out T value, out string fault)
    {
        fault = "";
        long before = spool.Counters.Faults;
        value = read();
        if (!absent(value)) return true;
        SpoolCounters after = spool.Counters;
        if (after.Faults == before) return true;
        fault = $"the spool cannot be read ({after.LastFault?.Message ?? "unknown fault"})";
        return false;
    }
}
