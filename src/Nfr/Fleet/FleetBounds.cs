namespace Nfr.Fleet;

/// <summary>How much of what a broker sends is kept by "nfr fleet". A broker, or who may write to it, is not believed to be kind.</summary>
static class FleetBounds
{
    /// <summary>Sensors in the table; a further one is refused and counted.</summary>
    public const int MostSensors = 10_000;
    /// <summary>Characters of a topic; a longer one is refused and counted.</summary>
    public const int LongestTopic = 200;
    /// <summary>Bytes of a payload by its kind; a longer one is refused and counted.</summary>
    public const int LongestStatus = 64, LongestInfo = 4 << 10, LongestHealth = 16 << 10, LongestAlert = 256 << 10;
    /// <summary>Nesting of a payload's JSON; a deeper one cannot be read.</summary>
    public const int DeepestJson = 16;
    /// <summary>Bytes of info and health that are kept as they came, for the screen of one sensor; beyond it only what the table shows is kept.</summary>
    public const long MostHeldBytes = 24 << 20;
    /// <summary>Characters of a name, a version, an address; of a sentence. The rest is cut.</summary>
    public const int LongestWord = 48, LongestSentence = 240;
    /// <summary>Troubles of a sensor that are kept, gravest first; the rest is counted.</summary>
    public const int MostTroubles = 8;
    /// <summary>Alerts of a sensor that are kept, newest first; all are counted.</summary>
    public const int MostAlerts = 8;
    /// <summary>Different texts that are held once for all sensors; a further one is held by its sensor alone.</summary>
    public const int MostShared = 16_384;
    /// <summary>What a sensor sends its health every, unless its info says another time.</summary>
    public static TimeSpan Heartbeat => TimeSpan.FromSeconds(30);
    /// <summary>Heartbeats that may be missing before a sensor counts as silent.</summary>
    public const int MissedHeartbeats = 2;
}
