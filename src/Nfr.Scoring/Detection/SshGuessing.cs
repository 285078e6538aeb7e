using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Guesses at SSH passwords, which are encrypted: a key exchange, a few packets and the end, again and again with nearly the same number of bytes. A session that is let in carries
/// more and varies. A longer session after many guesses is told higher.
/// </summary>
sealed class SshGuessing(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "ssh_guessing";
    /// <summary>0.2 MB. Full: the pair unused longest that has one short session goes first.</summary>
    internal const int MaxPairs = 1 << 12;

    struct Pair
    {
        public long FirstTick;
        public int Typical;
        public int Sessions;
        public long Duration;
        /// <summary>It has had a session that is no guess before there were many: an account of its own, and short sessions are its habit.</summary>
        public bool IsTrusted;
    }

    readonly LruTable<Pair> _pairs = new(MaxPairs);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;
    public override long Evicted => _pairs.Evicted;
    public override int Tracked => _pairs.Count;

    static readonly AlertThreat s_few = Threats.PasswordGuessing with { Title = "Short SSH sessions that look like password guessing", Severity = 2 };

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.App != App.Ssh || (e.Notes & (FlowNotes.Midstream | FlowNotes.ActiveTimeout | FlowNotes.MissedBytes)) != 0) return 0;
        ulong key = Mix.Of(Mix.Of(e.Context.Source), Mix.Of(Mix.Of(e.Context.Destination), e.Context.DestinationPort));
        bool over = e.State is not (ConnectionState.S1 or ConnectionState.OTH);
        bool isGuess = over && e.PayloadIn >= thresholds.SshGuessLeast && e.PayloadIn <= thresholds.SshGuessMost && e.PayloadOut >= thresholds.SshGuessLeast
            && e.PayloadOut <= thresholds.SshGuessMost && e.Duration <= thresholds.SshGuessDuration;
        return isGuess ? OnGuess(in e, key) : OnOther(in e, key);
    }

    int OnGuess(scoped in IpEvent e, ulong key)
    {
        int index = _pairs.GetOrAdd(key, out bool added);
        ref Pair pair = ref _pairs[index];
        if (pair.IsTrusted) return 0;
        int bytes = (int)(e.PayloadIn + e.PayloadOut);
        // Another user name or one more password a session changes little; another kind of session changes more.
        bool similar = Math.Abs(bytes - pair.Typical) * 4 <= pair.Typical;
        if (added || !similar || e.Context.Tick - pair.FirstTick > thresholds.SshGuessWindow) pair = new Pair { FirstTick = e.Context.Tick, Typical = bytes };
        pair.Sessions++;
        pair.Duration += e.Duration;
        if (pair.Sessions == 2) _pairs.Protect(index);
        bool inbound = !isHome(e.Context.Source);
        // The Internet guesses at every public server: one matter of the server, whoever does it.
        ulong finding = Mix.Of(inbound ? Mix.Of(e.Context.Destination, e.Context.DestinationPort) : key, (ulong)Detectors.SshGuessing);
        if (pair.Sessions < thresholds.SshGuesses)
        {
            if (pair.Sessions >= 3) findings.Keep(finding, in e);
            return 0;
        }
        bool many = pair.Sessions >= thresholds.SshManyGuesses;
        AlertThreat threat = many && !inbound ? Threats.PasswordGuessing : s_few;
        if (!findings.IsDue(finding, threat.Severity, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string source = e.Context.Source.ToString(), server = ServerOf(in e.Context);
        double seconds = Math.Max(0, e.Context.Tick - pair.FirstTick) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server}", threat, [],
            string.Create(CultureInfo.InvariantCulture, $"{source} had {pair.Sessions} short SSH sessions with {server} within {seconds:0} s, each of about {pair.Typical} bytes: what refused log-ins look like."),
            [new("shortSessions", pair.Sessions, many && !inbound ? thresholds.SshManyGuesses : thresholds.SshGuesses)],
            [new("typicalBytes", pair.Typical), new("meanSeconds", pair.Duration / 1e9 / pair.Sessions), new("seconds", seconds), new("windowSeconds", thresholds.SshGuessWindow / 1e9)],
            count));
        return threat.Severity;
    }

    int OnOther(scoped in IpEvent e, ulong key)
    {
        if (e.PayloadIn <= thresholds.SshGuessMost) return 0;
        int index = _pairs.GetOrAdd(key, out _);
        if (_pairs[index].Sessions < thresholds.SshGuesses)
        {
            _pairs[index].IsTrusted = true;
            return 0;
        }
        if (_pairs[index].Sessions < thresholds.SshManyGuesses || e.Context.Tick - _pairs[index].FirstTick > thresholds.SshGuessWindow * 2) return 0;
        int severity = Threats.GuessedPassword.Severity;
        ulong finding = Mix.Of(Mix.Of(key, 1), (ulong)Detectors.SshGuessing);
        if (!findings.IsDue(finding, severity, out long count)) return severity;
        string source = e.Context.Source.ToString(), server = ServerOf(in e.Context);
        int sessions = _pairs[index].Sessions;
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server} session", Threats.GuessedPassword, [],
            string.Create(CultureInfo.InvariantCulture, $"{source} had a session of {e.PayloadIn} bytes with {server} after {sessions} short ones that look like refused log-ins."),
            [new("shortSessions", sessions, thresholds.SshManyGuesses)], [new("payloadIn", e.PayloadIn), new("payloadOut", e.PayloadOut), new("seconds", e.Duration / 1e9)], count));
        return severity;
    }

    static string ServerOf(in EventContext context) => string.Create(CultureInfo.InvariantCulture, $"{context.Destination} port {context.DestinationPort}");
}
