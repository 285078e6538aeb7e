namespace Nfr.Scoring.Detection;

/// <summary>What speaks against a registered domain, each too little for more than information.</summary>
[Flags]
enum DomainTraits : byte
{
    None = 0,
    /// <summary>First seen at the site within the last day.</summary>
    Young = 1,
    /// <summary>Under a top-level domain of ill repute.</summary>
    OddTopLevel = 2,
    /// <summary>Letters that look drawn by lot.</summary>
    MadeUp = 4,
    /// <summary>Like a known brand.</summary>
    Imposter = 8,
}

/// <summary>
/// The domain of the event at hand with what detectors found to speak against it; the scorer clears it between events. So what <see cref="FirstSeen"/> and <see cref="Imposter"/>
/// have looked at is not looked at again.
/// </summary>
sealed class DomainSuspicion
{
    public DomainTraits Traits { get; private set; }

    /// <summary>Where the registered domain starts in the event's name.</summary>
    public int Start { get; private set; }

    public void Add(DomainTraits traits, int start)
    {
        Traits |= traits;
        Start = start;
    }

    public void Clear() => Traits = DomainTraits.None;
}
