using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>
/// Days of a site where nobody is infected: desktops, phones that sleep, servers, printers, televisions and cameras, a mail server, an administrator with a port scanner and a
/// program that installs software everywhere. Made from a seed; a host is a few habits, each with its own times.
/// </summary>
sealed class SiteDay : IDisposable
{
    public const double Hour = 3600, Day = 86_400;
    public const string Suffix = "corp.example.net";

    /// <summary>A host does something, and says in how many seconds it does it again.</summary>
    sealed record Habit(Action Act, Func<double> Next);

    readonly SiteNames _names;
    readonly Random _random;
    readonly Simulated _run;
    readonly SiteLine _line;
    readonly PriorityQueue<Habit, long> _due = new();
    readonly long _start;

    public static readonly Address Admin = Simulated.Parse("10.0.0.20"), Deployer = Simulated.Parse("10.0.0.21"), Monitor = Simulated.Parse("10.0.0.22"), MailServer = Simulated.Parse("10.0.0.25");

    public SiteDay(SiteNames names, int hosts, int seed)
    {
        (_names, _random) = (names, new Random(seed));
        _run = new Simulated();
        _start = _run.Tick;
        _line = new SiteLine(_run, _random);
        Hosts = hosts;
        for (int i = 0; i < hosts; i++)
        {
            Address host = HostOf(i);
            switch (i % 20)
            {
                case < 11: Desktop(i, host); break;
                case < 16: Phone(host); break;
                case < 17: Server(i, host); break;
                case < 18: Printer(host); break;
                case < 19: Television(i, host); break;
                default: Camera(i, host); break;
            }
        }
        Infrastructure();
    }

    public int Hosts { get; }
    /// <summary>Names that somebody mistyped: where they lie close to a brand they are what the sensor should tell of.</summary>
    public HashSet<string> Mistyped { get; } = [];
    public List<Alert> Alerts => _run.Alerts;
    public long Events => _line.Events;
    public ScorerStats Stats => _run.Scorer.Stats;

    static Address HostOf(int i) => SiteLine.V4(0x0A01_0000 + (uint)((i / 200) << 8) + (uint)(10 + (i % 200)));

    /// <summary>Seconds since midnight of the first day.</summary>
    double Now => (_run.Tick - _start) / 1e9;

    bool IsWork => (int)(Now / Day) % 7 < 5 && Now % Day is > 8 * Hour and < 18 * Hour;
    bool IsAwake => Now % Day is > 7 * Hour and < 23 * Hour;

    /// <summary>Events up to so many days from the start.</summary>
    public void RunUntil(double days)
    {
        long end = _start + (long)(days * Day * 1e9);
        while (_due.TryPeek(out Habit? habit, out long tick) && tick < end)
        {
            _due.Dequeue();
            _run.Tick = Math.Max(_run.Tick, tick);
            habit.Act();
            _due.Enqueue(habit, tick + (long)(habit.Next() * 1e9));
        }
        _run.Tick = end;
    }

    /// <summary>By a timer of so many seconds, more or less by the jitter.</summary>
    void Every(double seconds, double jitter, Action act) => Add(act, () => seconds * (1 + (jitter * ((2 * _random.NextDouble()) - 1))), seconds);

    /// <summary>At random, so many seconds apart on average.</summary>
    void About(double seconds, Action act) => Add(act, () => -seconds * Math.Log(1 - _random.NextDouble()), seconds);

    void Daily(double hour, Action act) => _due.Enqueue(new Habit(act, () => Day + (600 * (_random.NextDouble() - 0.5))), _start + (long)(hour * Hour * 1e9));

    void Add(Action act, Func<double> next, double first) => _due.Enqueue(new Habit(act, next), _start + (long)(_random.NextDouble() * first * 1e9));

    void While(Func<bool> condition, Action act)
    {
        if (condition()) act();
    }

    void Browse(Address host)
    {
        string site = _names.Site(_random);
        for (int pages = 1 + _random.Next(6); pages > 0; pages--)
        {
            foreach (string name in _names.Page(_random, site)) _line.Web(name, host);
            _run.Tick += _random.NextInt64(Simulated.Second / 10);
        }
    }

    void Common(Address host, double ntp)
    {
        Every(ntp, 0.02, () => _line.Flow(host, SiteLine.ServerOf($"{_random.Next(4)}.pool.ntp.org"), 123, App.Ntp, 48, 48, 0.1, 17));
        About(600, () =>
        {
            _line.Group(host, "224.0.0.251", 5353, App.Mdns);
            _run.Dns(_random.Next(2) == 0 ? "_googlecast._tcp.local" : "_ipp._tcp.local", host, Simulated.Parse("224.0.0.251"), 12, service: App.Mdns);
        });
        About(900, () => _line.Group(host, "239.255.255.250", 1900, App.Ssdp));
    }

    void Desktop(int number, Address host)
    {
        Common(host, 3600);
        About(420, () => While(() => IsWork, () => Browse(host)));
        About(6 * Hour, () => While(() => !IsWork, () => Browse(host)));
        Every(300, 0.02, () => While(() => IsWork, () => _line.Web("outlook.office365.com", host)));
        Every(60, 0.1, () => While(() => IsWork, () => _line.Web("edge.chat-of-the-site.com", host, 900, 700)));
        Every(600, 0.05, () => _line.Web("agent.endpoint-vendor.com", host, 1500, 900));
        Every(4 * Hour, 0.3, () =>
        {
            _line.Web("fe2.update.microsoft.com", host);
            _line.Web("tlu.dl.delivery.mp.microsoft.com", host, 4000, 30_000_000);
        });
        About(Hour, () => _line.Http("www.msftconnecttest.com", "/connecttest.txt", host));
        About(Hour, () => _line.Http("ocsp.digicert.com", "/MFEwTzBNMEswSTAJBgUrDgMCGgUABBTk45WiKdPUwcMf8JgMC07ACYqr2AQUt2ui6qiqhIx56rTaD5iyxZV2ufQCEAc9", host));
        // The site's own: directory, files, printing.
        Every(900, 0.5, () => While(() => IsWork, () =>
        {
            _line.Ask($"_ldap._tcp.dc._msdcs.{Suffix}", host, 33, remembers: false);
            Address controller = SiteLine.V4(0x0A00_000A + (uint)_random.Next(2));
            foreach ((ushort port, App app) in new[] { ((ushort)88, App.Kerberos), ((ushort)389, App.Ldap), ((ushort)445, App.Smb), ((ushort)135, App.Dcerpc) }) _line.Flow(host, controller, port, app, 1500, 3000, 0.5);
        }));
        About(1200, () => While(() => IsWork, () => _line.Flow(host, SiteLine.V4(0x0A00_001E), 445, App.Smb, _random.Next(5000, 5_000_000), _random.Next(5000, 50_000_000), 20)));
        About(3 * Hour, () => While(() => IsWork, () =>
        {
            Address printer = HostOf(17 + (20 * (number / 60)));
            bool off = _random.Next(8) == 0;
            _line.Flow(host, printer, (ushort)(_random.Next(2) == 0 ? 9100 : 631), App.Unknown, off ? 0 : 300_000, off ? 0 : 200, 2, state: off ? ConnectionState.S0 : ConnectionState.SF);
        }));
        // Search lists: a name that has no dots at its end is asked for with the site's suffix first.
        About(400, () => While(() => IsWork, () =>
        {
            _line.Ask($"www.{_names.Site(_random)}.{Suffix}", host, rcode: 3, remembers: false);
            if (_random.Next(6) == 0) _line.Ask($"wpad.{Suffix}", host, rcode: 3, remembers: false);
        }));
        About(2 * Day, () => While(() => IsWork, () => Mistype(host)));
        About(Hour, () => While(() => IsWork, () =>
        {
            (string name, ushort type) = SiteNames.Reputation(_random);
            _line.Ask(name, host, type, (short)(_random.Next(2) * 3), remembers: false);
        }));
        // An older browser that looks whether names are made up for it, at its start.
        if (number % 5 == 0) Daily(8 + _random.NextDouble(), () =>
        {
            for (int i = 0; i < 3; i++)
            {
                string probe = SiteNames.Text(_random, _random.Next(7, 16), "abcdefghijklmnopqrstuvwxyz");
                _line.Ask(probe, host, rcode: 3, remembers: false);
                _line.Ask($"{probe}.{Suffix}", host, rcode: 3, remembers: false);
            }
        });
        About(5 * Hour, () => While(() => IsWork, () => Call(host)));
        Every(1800, 0, () => While(() => IsWork, () => Push(host, "substrate-of.office.com", 443, App.Tls)));
        if (number % 4 == 0) Every(Hour, 0.4, () => _line.Web("contoso-my.sharepoint.com", host, _random.Next(10_000, 40_000_000), 20_000));
        if (number % 5 == 1) Daily(19 + (3 * _random.NextDouble()), () => Backup(host, _random.NextInt64(100_000_000, 3_000_000_000)));
        if (number % 30 == 2) About(1800, () => While(() => IsWork, () => _line.Flow(host, SiteLine.ServerOf("github.com"), 22, App.Ssh, Pushed(), Pushed(), 4)));
        if (number % 40 == 3) About(Hour, () => While(() => IsWork, () => _line.Flow(host, SiteLine.V4(0x0A00_0028 + (uint)_random.Next(8)), 22, App.Ssh, 40_000, 300_000, 600)));
        if (number % 25 == 4) Every(1800, 0.8, () => While(() => IsWork, () => _line.Web("dns.google", host, 20_000, 60_000)));
        // Software of its own that calls its maker by a timer: of each, one or two in the house.
        if (number % 40 == 5) Every(900, 0.1, () => _line.Web($"telemetry.maker-{number % 7}-of-tools.com", host, 800, 400));
    }

    /// <summary>Mostly a few changed files, seldom a picture.</summary>
    long Pushed() => (long)(3000 * Math.Exp(_random.NextDouble() * 7));

    void Mistype(Address host)
    {
        string name = _names.Typo(_random);
        Mistyped.Add(name["www.".Length..]);
        if (_random.Next(3) == 0) _line.Ask(name, host, rcode: 3);
        else _line.Web(name, host);
    }

    /// <summary>A video call: the way is felt for, then much goes both ways to a few servers.</summary>
    void Call(Address host)
    {
        ushort from = (ushort)_random.Next(50_000, 60_000);
        for (int i = 0; i < 3; i++) _line.Flow(host, SiteLine.ServerOf($"stun{i}.meetings-of-the-site.com"), 3478, App.Stun, 200, i == 2 ? 0 : 200, 1, 17, i == 2 ? ConnectionState.S0 : ConnectionState.SF, from: from);
        for (int i = 0; i < 1 + _random.Next(3); i++) _line.Flow(host, SiteLine.ServerOf($"media{_random.Next(40)}.meetings-of-the-site.com"), (ushort)_random.Next(3478, 3482), App.Rtp, _random.Next(5_000_000, 300_000_000), 200_000_000, 1800, 17, from: from);
    }

    /// <summary>One connection that lasts, told in slices.</summary>
    void Push(Address host, string name, ushort port, App app) =>
        _line.Flow(host, SiteLine.ServerOf(name), port, app, 3000, 6000, 1800, state: ConnectionState.S1, notes: FlowNotes.ActiveTimeout, from: (ushort)(40_000 + (host.V4 & 0xFFF)));

    void Backup(Address host, long bytes)
    {
        for (; bytes > 0; bytes -= 200_000_000) _line.Web("eu-west-2.storage-of-backups.com", host, Math.Min(bytes, 200_000_000), 100_000);
    }

    void Phone(Address host)
    {
        Common(host, 4 * Hour);
        About(900, () => While(() => IsAwake, () => Browse(host)));
        // It sleeps; when it wakes it asks for everything at once, and what it had open before is gone.
        About(1500, () => While(() => IsAwake, () =>
        {
            foreach (string name in new[] { "gateway.icloud.com", "1-courier.push.apple.com", "mtalk.google.com", "imap.gmail.com", "graph.instagram.com", "mmg.whatsapp.net", "gsp-ssl.ls.apple.com" }) _line.Web(name, host, 2500, 9000);
            _line.Flow(host, SiteLine.ServerOf("mtalk.google.com"), 5228, App.Unknown, 0, 0, state: _random.Next(5) == 0 ? ConnectionState.S0 : ConnectionState.SF);
        }));
        Every(900, 0.05, () => While(() => IsAwake, () => _line.Flow(host, SiteLine.ServerOf("imap.mail-of-many.com"), 993, App.Tls, 900, 2500)));
        About(8 * Hour, () => _line.Web("photos-upload.icloud.com", host, _random.Next(1_000_000, 200_000_000), 50_000));
        About(12 * Hour, () => _line.Web("mask.icloud.com", host, 90_000, 400_000));
    }

    void Server(int number, Address host)
    {
        Common(host, 64 + (_random.Next(5) * 240));
        Every(3600, 0.2, () => _line.Http("deb.debian.org", "/debian/dists/bookworm/InRelease", host));
        Every(300, 0, () => _line.Web("collector.metrics-vendor.com", host, 30_000, 300));
        Daily(1 + (3 * _random.NextDouble()), () => Backup(host, _random.NextInt64(1_000_000_000, 8_000_000_000)));
        if (number % 60 == 16) Every(60, 0, () => _line.Flow(host, SiteLine.V4(0x0A00_0028), 5432, App.Postgres, 2000, 9000, 0.2));
        if (number % 60 == 36) Every(120, 0.3, () => _line.Web($"api.partner-{number}.com", host, 1500, 4000));
    }

    void Printer(Address host)
    {
        Common(host, 6 * Hour);
        Every(6 * Hour, 0.1, () => _line.Web("connect.printer-maker.com", host));
        Every(120, 0, () => _line.Ask($"scanner-inbox.{Suffix}", host, rcode: 3, remembers: false));
    }

    void Television(int number, Address host)
    {
        Common(host, Hour);
        Every(60, 0.1, () => _line.Web($"ping.television-{number % 3}-maker.com", host, 500, 300));
        About(2 * Hour, () => While(() => IsAwake, () =>
        {
            foreach (string name in new[] { "api.netflix.com", SiteNames.Machine(_random) }) _line.Web(name, host, 40_000, 800_000_000);
        }));
        About(Hour, () => _line.Web("samsungacr.com", host));
    }

    void Camera(int number, Address host)
    {
        Common(host, Hour);
        About(2 * Hour, () => _line.Ask($"p2p{number % 2}.camera-maker.com", host));
        About(2 * Hour, () => _line.Ask("mqtt.camera-maker.com", host));
        Every(30, 0, () => _line.Flow(host, SiteLine.ServerOf($"p2p{number % 2}.camera-maker.com"), 32_100, App.Unknown, 60, 60, 0.1, 17, from: 32_108));
        Every(300, 0.05, () => _line.Flow(host, SiteLine.ServerOf("mqtt.camera-maker.com"), 8883, App.Mqtt, 300, 300));
        About(3 * Hour, () => _line.Web("upload.camera-maker.com", host, 20_000_000, 5000));
    }

    void Infrastructure()
    {
        // Mail comes in and goes out.
        About(25, () =>
        {
            if (!IsWork && _random.Next(4) > 0) return;
            foreach (string name in _names.BlockLists(_random)) _line.Ask(name, MailServer, rcode: (short)(_random.Next(5) == 0 ? 0 : 3), remembers: false, answers: (1, "127.0.0.2"));
            _line.Flow(SiteLine.ServerOf("mx." + _names.Site(_random)), MailServer, 25, App.Smtp, 60_000, 900, 3);
        });
        About(90, () =>
        {
            if (!IsWork) return;
            string domain = _names.Site(_random);
            _line.Ask(domain, MailServer, 15, answers: (15, "mx." + domain));
            _line.Ask("mx." + domain, MailServer);
            _line.Flow(MailServer, SiteLine.ServerOf("mx." + domain), 25, App.Smtp, 50_000, 900, 3, state: _random.Next(20) == 0 ? ConnectionState.S0 : ConnectionState.SF);
        });
        // A monitor that looks at every server and printer; a few are known to be down.
        Every(300, 0.01, () =>
        {
            for (int i = 0; i < Hosts; i++)
            {
                if (i % 20 is not (16 or 17)) continue;
                _line.Flow(Monitor, HostOf(i), 161, App.Snmp, 300, i % 60 == 16 ? 0 : 900, 0.1, 17, i % 60 == 16 ? ConnectionState.S0 : ConnectionState.SF);
                if (i % 20 == 16) _line.Flow(Monitor, HostOf(i), 22, App.Ssh, 900, 1500, 0.2);
            }
        });
        // Software goes to all desktops in the morning.
        Daily(7.5, () =>
        {
            for (int i = 0; i < Hosts; i++)
            {
                if (i % 20 >= 11) continue;
                bool off = _random.Next(4) == 0;
                _line.Flow(Deployer, HostOf(i), 445, App.Smb, off ? 0 : 2_000_000, off ? 0 : 9000, 2, state: off ? ConnectionState.S0 : ConnectionState.SF);
                _run.Tick += 2 * Simulated.Second;
            }
        });
        // The administrator's scan of one network.
        Daily(11, () =>
        {
            foreach (ushort port in new ushort[] { 22, 80, 443, 445, 3389 })
            {
                for (int i = 0; i < 200; i++)
                {
                    bool open = _random.Next(10) == 0;
                    _line.Flow(Admin, HostOf(i), port, App.Unknown, open ? 200 : 0, open ? 200 : 0, 0.1, state: open ? ConnectionState.SF : ConnectionState.REJ);
                    _run.Tick += Simulated.Second / 20;
                }
            }
        });
    }

    public void Dispose() => _run.Dispose();
}
