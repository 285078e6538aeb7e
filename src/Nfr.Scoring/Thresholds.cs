using Nfr.Events;

namespace Nfr.Scoring;

/// <summary>Every limit of every detector, in one place. Times are nanoseconds of tick.</summary>
public sealed record Thresholds
{
    const long Second = 1_000_000_000;

    /// <summary>A finding that goes on is raised again when its severity rises, or this long after it was last raised.</summary>
    public long QuietInterval { get; init; } = 3600 * Second;

    /// <summary>The same for what a client does all day, such as the use of a VPN: the rule of the house is broken once a day.</summary>
    public long HabitInterval { get; init; } = 86400 * Second;

    /// <summary>Alerts of one threat that may come at once; then one every <see cref="AlertRefill"/>, the others are counted.</summary>
    public int AlertStock { get; init; } = 200;
    public long AlertRefill { get; init; } = 10 * Second;

    // ---- Port scan: sequential hypothesis test on first contacts (Jung, Paxson, Berger, Balakrishnan 2004).

    /// <summary>ln(theta1/theta0) with theta 0.8 and 0.2: what one failed (or, negative, one answered) first contact weighs.</summary>
    public double ScanStep { get; init; } = 1.3863;
    /// <summary>ln of beta/alpha = 0.99/0.01: above it the source scans.</summary>
    public double ScanTrip { get; init; } = 4.5951;
    /// <summary>The walk never falls below this (two answers): a busy client that turns scanner is found at its sixth failure, a quiet one at its fifth.</summary>
    public double ScanFloor { get; init; } = -2.7726;
    /// <summary>Failed first contacts on ports other than 80 and 443 that are needed beside the test.</summary>
    public int ScanFailures { get; init; } = 5;
    /// <summary>Or this many different hosts, when only web ports fail: fewer is what an uplink that is down looks like.</summary>
    public int ScanWebHosts { get; init; } = 40;
    /// <summary>Or this many failed web contacts, each in the network (/24) of the one before: nobody browses neighbours.</summary>
    public int ScanNeighbours { get; init; } = 8;
    /// <summary>Failed first contacts in UDP, where no answer is common.</summary>
    public int ScanUdpFailures { get; init; } = 10;
    /// <summary>Hosts pinged without an answer; outbound, each in the network of the one before.</summary>
    public int ScanPings { get; init; } = 10;
    /// <summary>Sources outside that scan us and are told, each <see cref="QuietInterval"/>.</summary>
    public int ScanInboundAlerts { get; init; } = 20;
    /// <summary>A source is forgotten after this long without a failed contact; a target is a first contact again after it.</summary>
    public long ScanWindow { get; init; } = 900 * Second;
    /// <summary>Nobody outbound got an answer for this long while at least <see cref="OutageSources"/> sources fail: the uplink is down.</summary>
    public long OutageSilence { get; init; } = 30 * Second;
    public int OutageSources { get; init; } = 3;
    /// <summary>A source that tries this many different ports scans even then: clients of a lost uplink try a handful.</summary>
    public int OutagePorts { get; init; } = 12;

    // ---- Lateral movement: hosts of the home networks that a home client has not spoken to lately, on ports of administration.

    public long LateralWindow { get; init; } = 900 * Second;
    /// <summary>A pair of client and host is new when it was not seen for so long: a job of every month is none.</summary>
    public long LateralMemory { get; init; } = 35 * 86400 * Second;
    /// <summary>So long after a site was first seen every pair is new; meanwhile it takes so many times the hosts.</summary>
    public long LateralLearning { get; init; } = 7 * 86400 * Second;
    public int LateralYoungFactor { get; init; } = 2;
    public int LateralHosts { get; init; } = 12;
    /// <summary>From here it is no administrator's morning.</summary>
    public int LateralManyHosts { get; init; } = 25;

    // ---- Smurf, resets, ports: what the packages of 1998 looked for.

    /// <summary>Hosts that send echo replies to one that asked nobody, within the window.</summary>
    public int SmurfRepliers { get; init; } = 10;
    public long SmurfWindow { get; init; } = 60 * Second;
    /// <summary>Connections of one client that others reset or refuse within the window; who calls a dead service once a second is above it, and is worth that line.</summary>
    public int Resets { get; init; } = 40;
    public long ResetsWindow { get; init; } = 60 * Second;
    /// <summary>
    /// Ports in TCP that nobody should use: the small services (echo, discard, systat, daytime, netstat, qotd, chargen), finger, uucp, and those that the remote controls of the
    /// trade made their own (SubSeven, NetBus, Back Orifice, Sasser's).
    /// </summary>
    public IReadOnlyList<ushort> BadTcpPorts { get; init; } =
        [7, 9, 11, 13, 15, 17, 19, 79, 540, 1243, 5554, 6711, 6776, 9996, 12345, 12346, 16660, 20034, 27374, 27665, 31335, 31337, 54320, 65000];
    /// <summary>The same in UDP (9 is left out: it wakes machines).</summary>
    public IReadOnlyList<ushort> BadUdpPorts { get; init; } = [11, 13, 17, 19, 18753, 20433, 27444, 31335, 31337, 31338, 34555];

    // ---- Log-ins that fail: seen in the content, or told from SSH sessions by size.

    public long LoginWindow { get; init; } = 600 * Second;
    /// <summary>Refused log-ins of a client at a server within the window that are worth a line (severity 1): somebody mistypes.</summary>
    public int LoginFailuresTold { get; init; } = 3;
    /// <summary>From here somebody guesses.</summary>
    public int LoginFailures { get; init; } = 10;
    public long SprayWindow { get; init; } = 1800 * Second;
    /// <summary>Servers that refused one client within <see cref="SprayWindow"/>.</summary>
    public int SprayServers { get; init; } = 5;
    /// <summary>Clients that one server refused within <see cref="LoginWindow"/>, twice each on average.</summary>
    public int GuessingClients { get; init; } = 8;
    public long SshGuessWindow { get; init; } = 300 * Second;
    /// <summary>Application bytes each way of an SSH session that ended with its log-in: a key exchange takes the least, a few passwords more than that.</summary>
    public int SshGuessLeast { get; init; } = 800;
    public int SshGuessMost { get; init; } = 6000;
    public long SshGuessDuration { get; init; } = 120 * Second;
    /// <summary>Such sessions of a client with a server within the window; a monitor that calls once a minute has five.</summary>
    public int SshGuesses { get; init; } = 8;
    public int SshManyGuesses { get; init; } = 20;

    // ---- Spam: mail servers outside that a client turns to itself, and domains whose mail exchangers it looks up.

    public long SpamWindow { get; init; } = 300 * Second;
    public int SpamPeers { get; init; } = 10;
    public int SpamLookups { get; init; } = 10;
    /// <summary>A host to which mail came, or that answered DNS queries, is a server for so long.</summary>
    public long MailServerMemory { get; init; } = 7 * 86400 * Second;

    // ---- HTTP failures.

    public long HttpFailuresWindow { get; init; } = 300 * Second;
    /// <summary>Different first parts of paths that failed at one server, where not one request in ten succeeds.</summary>
    public int HttpFailedPlaces { get; init; } = 12;

    // ---- Resolvers: who asks the DNS for others.

    /// <summary>What a resolver asks for is the matter of a client that asked it for the same within so long.</summary>
    public long ResolverWindow { get; init; } = 10 * Second;
    /// <summary>A host that has answered so many clients, or asked so many servers without recursion, speaks for many: what no client asked it for is judged by limits for many.</summary>
    public int ResolverClients { get; init; } = 3;
    public int ResolverServers { get; init; } = 8;
    /// <summary>Times the limits of a tunnel of one client; the sums are of one domain, where many clients add up slowly.</summary>
    public int ResolverTunnelFactor { get; init; } = 4;
    /// <summary>Made-up names in its queries that are needed, and what their score must exceed that of one client by.</summary>
    public int ResolverDgaNames { get; init; } = 20;
    public double ResolverDgaMargin { get; init; } = 0.1;

    // ---- DNS tunnel: bytes of new, opaque label text per client and registered domain (after Paxson et al. 2013).

    public long TunnelWindow { get; init; } = 1800 * Second;
    /// <summary>Bytes within it when at least half of them came in queries of types that carry data (TXT, NULL, CNAME, MX, KEY, SRV, …).</summary>
    public int TunnelDataTypeBytes { get; init; } = 500;
    /// <summary>Bytes within it when they came in A, AAAA and HTTPS queries, which CDNs fill too.</summary>
    public int TunnelBytes { get; init; } = 1000;
    /// <summary>A slow tunnel: 1 kB an hour is found within two hours, 4 kB a day within the day.</summary>
    public long TunnelSlowWindow { get; init; } = 7200 * Second;
    public int TunnelSlowBytes { get; init; } = 1800;
    public long TunnelDay { get; init; } = 86_400 * Second;
    public int TunnelDayBytes { get; init; } = 3600;
    /// <summary>Different opaque labels needed beside the bytes.</summary>
    public int TunnelLabels { get; init; } = 10;
    /// <summary>Share of the queries with opaque labels that brought a new one: what a browser asks for it asks again (three types are asked of one name).</summary>
    public double TunnelNewShare { get; init; } = 0.3;
    /// <summary>Mean bits per character of all that was new: random letters have 6.5, hexadecimal 7.4, names of machines in a cloud 5.4.</summary>
    public double TunnelBits { get; init; } = 5.8;
    /// <summary>A label shorter than this says too little to be opaque alone.</summary>
    public int OpaqueLength { get; init; } = 8;
    /// <summary>Bits per character under the model of names from which a label counts as opaque.</summary>
    public double OpaqueBits { get; init; } = 5.0;
    /// <summary>The same of shorter labels that follow each other, taken together: octets, and bits per character.</summary>
    public int OpaqueRunLength { get; init; } = 16;
    public double OpaqueRunBits { get; init; } = 5.5;
    /// <summary>What comes in: bytes of answers beyond their questions, of types that carry data, and the different names they answer, within the first window.</summary>
    public int TunnelAnswerBytes { get; init; } = 8000;
    public int TunnelAnswers { get; init; } = 16;

    /// <summary>Bytes of a flow on DNS's port that has many datagrams which are no DNS messages.</summary>
    public int NotDnsBytes { get; init; } = 500;

    // ---- ICMP tunnel: what echoes carry besides a ping's pattern.

    /// <summary>Echoes whose payload holds an IP packet.</summary>
    public int IcmpPackets { get; init; } = EchoStatistics.TellingPackets;
    /// <summary>Echoes that look like data, and of how many of all that could.</summary>
    public int IcmpDataEchoes { get; init; } = EchoStatistics.TellingData;
    public double IcmpDataShare { get; init; } = 0.5;
    /// <summary>Bytes in them that differ from the echo before.</summary>
    public int IcmpDataBytes { get; init; } = 100;

    // ---- DGA: distinct names that do not exist, of one client, and how little they look like names.

    public long DgaWindow { get; init; } = 300 * Second;
    /// <summary>Distinct registered domains answered NXDOMAIN within the window.</summary>
    public int DgaNames { get; init; } = 10;
    /// <summary>Labels shorter than this are not judged.</summary>
    public int DgaLength { get; init; } = 5;
    /// <summary>
    /// What a host's score is made of: the mean odds (natural logarithms) of its names by themselves and of their letters, from where good
    /// names seldom lie to where nothing more is to be said, and how alike in length they are (standard deviation below the spread).
    /// The weights come from hosts of families that the model had not seen.
    /// </summary>
    public double DgaNameOddsFrom { get; init; } = -12;
    public double DgaNameOddsRange { get; init; } = 20;
    public double DgaNameWeight { get; init; } = 0.435;
    public double DgaLetterOddsFrom { get; init; } = -6;
    public double DgaLetterOddsRange { get; init; } = 12;
    public double DgaLetterWeight { get; init; } = 0.52;
    public double DgaLengthSpread { get; init; } = 3;
    public double DgaLengthWeight { get; init; } = 0.045;
    /// <summary>
    /// A host is raised from this score on, plus <see cref="DgaLimitSpread"/> divided by the root of the number of names, since the mean of
    /// few wanders more; from <see cref="DgaLimitNames"/> on the limit falls no further. One good host in 20,000 comes so far by its
    /// fifteenth name, when all of its names fail; and one host in 1,000 whose ten names hold four mistyped or odd ones.
    /// </summary>
    public double DgaLimit { get; init; } = 0.125;
    public double DgaLimitSpread { get; init; } = 1.11;
    public int DgaLimitNames { get; init; } = 15;

    // ---- Failing names: different domains in vain within the hour, and domains that are asked for though they never resolve.

    public long DnsFailuresWindow { get; init; } = 3600 * Second;
    /// <summary>Registered domains that nobody here was ever answered for, and their share of all that the client asked for.</summary>
    public int DnsFailures { get; init; } = 30;
    public double DnsFailuresShare { get; init; } = 0.3;
    /// <summary>Times the client's own hours before, and the mean of the site's clients.</summary>
    public double DnsFailuresTimes { get; init; } = 5;
    /// <summary>When nobody was answered for so long, the line is down.</summary>
    public long DnsTroubleSilence { get; init; } = 60 * Second;
    /// <summary>Hours of a day, and minutes in them, in which a domain was asked for in vain.</summary>
    public int UnreachableHours { get; init; } = 4;
    public int UnreachableRequests { get; init; } = 16;
    /// <summary>Such domains of one client; or one that is asked for much longer.</summary>
    public int UnreachableDomains { get; init; } = 3;
    public int UnreachableLongHours { get; init; } = 8;
    public int UnreachableLongRequests { get; init; } = 60;
    /// <summary>What more clients ask for is the site's own matter.</summary>
    public int UnreachableClients { get; init; } = 2;
    /// <summary>What goes on is told again after this long.</summary>
    public long UnreachableQuiet { get; init; } = 7 * 86400 * Second;

    // ---- Suspicious domains and clusters: what is too little alone, and comes together.

    public long SuspiciousDomainsWindow { get; init; } = 3600 * Second;
    /// <summary>Different domains with two traits (young here, odd top-level domain, made-up letters) or like a brand, of one client within the window.</summary>
    public int SuspiciousDomains { get; init; } = 6;
    public long ClusterWindow { get; init; } = 4 * 3600 * Second;
    /// <summary>Kinds of low findings of one client within the window, and the sum of each kind's greatest severity (1 or 2).</summary>
    public int ClusterKinds { get; init; } = 3;
    public int ClusterPoints { get; init; } = 5;

    // ---- Beacons: how regular, how long, how rare (Beacons/Regularity). Weights .5, .2 and .3.

    /// <summary>Intervals from which a pair is judged; what makes an alert of them is the evidence, which ten give at the earliest.</summary>
    public int BeaconIntervals { get; init; } = 6;
    /// <summary>Seconds; what comes faster is a conversation.</summary>
    public double BeaconLeastInterval { get; init; } = 10;
    /// <summary>Minus ln of chance from which a pair is watched as regular.</summary>
    public double BeaconSuspicion { get; init; } = 9;
    /// <summary>Minus ln of chance that gives the whole weight; with a destination that is rare and long known to be regular, four fifths of it suffice.</summary>
    public double BeaconEvidence { get; init; } = 15;
    /// <summary>Seconds of regular contact that give the whole weight; half of it suffices where the evidence is full.</summary>
    public double BeaconSeconds { get; init; } = 3000;
    /// <summary>1 = no other client of the site goes there, 0 = a service that everybody's devices call.</summary>
    public double BeaconRarity { get; init; } = 0.9;
    public double BeaconScore { get; init; } = 0.9;
    /// <summary>A beacon that goes on is raised again after this long.</summary>
    public long BeaconQuiet { get; init; } = 7 * 24 * 3600 * Second;
    /// <summary>A flow told in slices is still the same one within this.</summary>
    public long BeaconSlice { get; init; } = 7200 * Second;
    /// <summary>Bits per character from which a domain's label of at least <see cref="BeaconOddLength"/> looks made up.</summary>
    public double BeaconOddBits { get; init; } = 5.2;
    public int BeaconOddLength { get; init; } = 7;

    // ---- Volumes: SSH and FTP by client and destination, uploads against the client's own past, sessions that last.

    public long TransferWindow { get; init; } = 24 * 3600 * Second;
    /// <summary>Bytes to the outside by SSH that are worth a line, and those that are many.</summary>
    public long SshBytes { get; init; } = 20_000_000;
    public long SshHighBytes { get; init; } = 100_000_000;
    /// <summary>Bytes by SSH on a port that nothing else uses, and on one that is another protocol's.</summary>
    public long SshUnusualPortBytes { get; init; } = 5_000_000;
    public long SshMasqueradeBytes { get; init; } = 1_000_000;
    public long FtpBytes { get; init; } = 50_000_000;

    public long UploadWindow { get; init; } = 24 * 3600 * Second;
    /// <summary>Flows that send less are no uploads.</summary>
    public long UploadLeastFlow { get; init; } = 100_000;
    /// <summary>Bytes to one destination within the window; twice as many while a client is new. Never less than a usual day's to all destinations together.</summary>
    public long UploadBytes { get; init; } = 500_000_000;
    public double UploadYoungFactor { get; init; } = 2;
    /// <summary>Times what the client usually sends in a day to the one destination that gets most.</summary>
    public double UploadFactor { get; init; } = 5;

    public long LongSession { get; init; } = 8 * 3600 * Second;
    public long VeryLongSession { get; init; } = 24 * 3600 * Second;
    /// <summary>Slices further apart than this are two flows.</summary>
    public long LongSessionGap { get; init; } = 3600 * Second;
    /// <summary>What more clients of the site use than this is a service.</summary>
    public int LongSessionClients { get; init; } = 2;

    // ---- Ports.

    public long UnusualPortWindow { get; init; } = 3600 * Second;
    /// <summary>Connections of one client to one server on a port that nothing known uses.</summary>
    public int UnusualPortFlows { get; init; } = 40;
    public int UnusualPortClients { get; init; } = 2;

    // ---- Policy.

    public long PolicyWindow { get; init; } = 24 * 3600 * Second;
    /// <summary>Bytes of questions by encrypted DNS a day; ten thousand questions are about two megabytes.</summary>
    public long EncryptedDnsBytes { get; init; } = 10_000_000;
    /// <summary>Flows or bytes of a peer-to-peer protocol that are use and not a contact.</summary>
    public int PeerFlows { get; init; } = 3;
    public long PeerBytes { get; init; } = 100_000;
    public long FanOutWindow { get; init; } = 1800 * Second;
    /// <summary>Outside hosts, each on a port of its own, that one UDP port talks with.</summary>
    public int FanOutPeers { get; init; } = 30;
    public long TorWindow { get; init; } = 3600 * Second;
    /// <summary>Different random server names within the window.</summary>
    public int TorNames { get; init; } = 3;
    /// <summary>Bits per character from which a name counts as drawn by lot.</summary>
    public double TorNameBits { get; init; } = 5.0;

    // ---- Listed destinations.

    /// <summary>A listed JA3 or JA4 alone is never more than this: client fingerprints are shared by good software.</summary>
    public int FingerprintSeverity { get; init; } = 3;
    /// <summary>A listed address that comes to us is never more than this; unanswered, it is background noise.</summary>
    public int InboundSeverity { get; init; } = 2;
    /// <summary>A certificate of more names than this is a hoster's: its names are not looked up.</summary>
    public int CertificateNames { get; init; } = 8;

    // ---- Brand impersonation: likeness of the name, where it stands, whether it is new here. The weights sum to 1.

    /// <summary>A near likeness where the brand's customers look first is enough; elsewhere it takes a domain that is new to the site.</summary>
    public double ImposterScore { get; init; } = 0.69;
    public double ImposterLikenessWeight { get; init; } = 0.5;
    public double ImposterPlaceWeight { get; init; } = 0.3;
    public double ImposterYoungWeight { get; init; } = 0.2;
    /// <summary>So many clients over so many days make a domain the site's habit.</summary>
    public int ImposterHabitClients { get; init; } = 8;
    public int ImposterHabitDays { get; init; } = 7;
    /// <summary>Letters of a brand from which on a name that differs by one of them, and is new here, is no chance.</summary>
    public int ImposterTellingLength { get; init; } = 5;

    // ---- First seen: what "young" means without registration data.

    /// <summary>The first days of a sensor, in which everything is new and nothing is said about it.</summary>
    public long FirstSeenLearning { get; init; } = 7 * 86400 * Second;
    /// <summary>Bits per character under the model of names from which a label looks machine-made, and the letters it must have.</summary>
    public double OddNameBits { get; init; } = 6.3;
    public int OddNameLength { get; init; } = 8;
    /// <summary>Clients of a domain that nobody knew the day before: a quarter of the site's, at least and at most so many.</summary>
    public int YoungClientsLeast { get; init; } = 5;
    public int YoungClientsMost { get; init; } = 20;
    /// <summary>Alerts of each kind in a day of 24 h; what comes after is counted and not told.</summary>
    public int YoungVolumeDaily { get; init; } = 3;
    public int YoungDomainDaily { get; init; } = 20;
    public int OddTopLevelDaily { get; init; } = 10;
}
