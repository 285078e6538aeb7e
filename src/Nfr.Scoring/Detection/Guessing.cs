using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Log-ins that servers refuse, where the content shows it (FTP, SMTP, POP3, IMAP, Telnet, HTTP's Basic authentication): many of one client at one server is guessing, at many servers spraying,
/// of many clients at one server guessing with many hands; and one that is taken after many were refused is worse than all of these. From outside it is what every public server hears,
/// and told once for each.
/// </summary>
sealed class Guessing(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "guessing";
    /// <summary>0.6 MB: pairs of client and server, clients, and servers. Full: the one unused longest that has failed but once goes first.</summary>
    internal const int MaxTallies = 1 << 13;

    struct Tally
    {
        public long FirstTick;
        public int Failures;
        public Distinct Others;
        public Distinct Users;
    }

    readonly LruTable<Tally> _tallies = new(MaxTallies);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;
    public override long Evicted => _tallies.Evicted;
    public override int Tracked => _tallies.Count;

    static readonly AlertThreat s_few = Threats.PasswordGuessing with { Title = "Failed log-ins", Severity = 1 };
    static readonly AlertThreat s_inbound = Threats.PasswordGuessing with { Severity = 2 };

    public override int OnIp(scoped in IpEvent e)
    {
        if ((e.LoginFailures | e.LoginSuccesses) == 0) return 0;
        ulong client = Mix.Of(e.Context.Source), server = Mix.Of(Mix.Of(e.Context.Destination), e.Context.DestinationPort);
        ulong pairKey = Mix.Of(client, server);
        bool inbound = !isHome(e.Context.Source);
        int severity = 0;
        ulong user = e.User.IsEmpty ? 0 : Mix.OfName(e.User);
        if (e.LoginFailures > 0)
        {
            Tally pair = Count(pairKey, in e, client, user, thresholds.LoginWindow);
            if (pair.Failures >= thresholds.LoginFailuresTold)
            {
                bool many = pair.Failures >= thresholds.LoginFailures;
                AlertThreat threat = !many ? s_few : inbound ? s_inbound : Threats.PasswordGuessing;
                severity = Tell(in e, Mix.Of(inbound ? server : pairKey, (ulong)Detectors.Guessing), threat, in pair,
                    new("failures", pair.Failures, many ? thresholds.LoginFailures : thresholds.LoginFailuresTold), "logged in in vain");
            }
            if (!inbound)
            {
                Tally own = Count(Mix.Of(client, 1), in e, server, user, thresholds.SprayWindow);
                int servers = own.Others.Count;
                if (servers >= thresholds.SprayServers)
                {
                    severity = Math.Max(severity, Tell(in e, Mix.Of(Mix.Of(client, 1), (ulong)Detectors.Guessing), Threats.PasswordSpraying, in own,
                        new("servers", servers, thresholds.SprayServers), $"was refused by about {servers} servers, with log-ins"));
                }
            }
            Tally all = Count(Mix.Of(server, 2), in e, client, user, thresholds.LoginWindow);
            int clients = all.Others.Count;
            if (clients >= thresholds.GuessingClients && all.Failures >= thresholds.GuessingClients * 2)
            {
                severity = Math.Max(severity, Tell(in e, Mix.Of(Mix.Of(server, 2), (ulong)Detectors.Guessing), inbound ? s_inbound : Threats.PasswordGuessing, in all,
                    new("clients", clients, thresholds.GuessingClients), $"was one of about {clients} clients that logged in in vain"));
            }
        }
        if (e.LoginSuccesses == 0) return severity;
        int index = _tallies.Find(pairKey);
        if (index < 0 || _tallies[index].Failures < thresholds.LoginFailures || e.Context.Tick - _tallies[index].FirstTick > thresholds.LoginWindow * 2) return severity;
        Tally guessed = _tallies[index];
        return Math.Max(severity, Tell(in e, Mix.Of(Mix.Of(pairKey, 3), (ulong)Detectors.Guessing), Threats.GuessedPassword, in guessed,
            new("failures", guessed.Failures, thresholds.LoginFailures), "was let in after it had logged in in vain"));
    }

    Tally Count(ulong key, scoped in IpEvent e, ulong other, ulong user, long window)
    {
        int index = _tallies.GetOrAdd(key, out bool added);
        ref Tally tally = ref _tallies[index];
        if (added || e.Context.Tick - tally.FirstTick > window) tally = new Tally { FirstTick = e.Context.Tick };
        tally.Failures += e.LoginFailures;
        tally.Others.Add(other);
        if (user != 0) tally.Users.Add(user);
        if (tally.Failures >= 2) _tallies.Protect(index);
        return tally;
    }

    int Tell(scoped in IpEvent e, ulong finding, AlertThreat threat, in Tally tally, EvidenceFeature feature, string what)
    {
        if (!findings.IsDue(finding, threat.Severity, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string source = e.Context.Source.ToString();
        string server = string.Create(CultureInfo.InvariantCulture, $"{e.Context.Destination} port {e.Context.DestinationPort}");
        double seconds = Math.Max(0, e.Context.Tick - tally.FirstTick) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server} {threat.Id}", threat, [],
            string.Create(CultureInfo.InvariantCulture, $"{source} {what}: {tally.Failures} failures within {seconds:0} s, with about {tally.Users.Count} user names, last at {server}."),
            [feature], [new("failures", tally.Failures), new("users", tally.Users.Count), new("seconds", seconds), new("app", (double)e.App, e.App.ToString())], count));
        return threat.Severity;
    }
}
