using System.CommandLine;
using System.Net;
using Nfr.Config;
using Nfr.Engine;
using Nfr.Scoring;

namespace Nfr.Commands;

/// <summary>"nfr engine": the Analytics Engine, self-hosted, and "nfr engine key" for those who may use it.</summary>
static class EngineCommand
{
    public static Command Build(CommandSetup setup)
    {
        var data = new Option<string>("--data")
        {
            Description = $"Folder of engine.db: keys, alerts. Default: {HostedEngineOptions.DefaultData}", HelpName = "DIR", Recursive = true,
            DefaultValueFactory = _ => HostedEngineOptions.DefaultData,
        };
        var listen = Text("--listen", "ADDRESS:PORT", $"Where to listen. Default: {HostedEngineOptions.DefaultListen}");
        var certificate = Text("--certificate", "FILE", "TLS certificate and those that signed it up to the root, PEM; those that lead to its root are sent. Read again when the file changes.");
        var key = Text("--key", "FILE", "The certificate's private key, PEM. Default: in the certificate's file.");
        var plain = new Option<bool>("--plain") { Description = "HTTP without TLS on an address that others reach: only behind a proxy that has it." };
        var metrics = Text("--metrics", "ADDRESS:PORT", "Give /metrics here, to everybody who reaches it. Default: on --listen, to this machine alone.");
        var feeds = new Option<string[]>("--feeds")
        {
            Description = $"Folder of indicator lists, or the https:// address of one that is fetched each hour; may be repeated. More can be said of a list in scoring.feeds of -c FILE. Default: {ScorerOptions.DefaultFeedsFolder}",
            HelpName = "DIR|URL", Arity = ArgumentArity.OneOrMore,
        };
        var open = new Option<bool>("--open-registration") { Description = "Let sensors get a key by themselves (nfr account register)." };
        var defaults = new HostedEngineOptions { Listen = new IPEndPoint(0, 0), Data = "" };
        var scorers = Number("--scorers", defaults.Scorers, "Scorers that sites are spread over; more keep more apart, each takes memory as a sensor's does.");
        var rate = Number("--rate", defaults.EventsPerSecond, "Events a second that one key may send on average.");
        var keep = Number("--keep-alerts", defaults.KeptAlerts, "Alerts kept; the oldest of the sites with the most go.");
        var engine = new NfrCommand("engine", "Run an Analytics Engine of your own, which sensors upload to.")
        {
            Remarks =
            [
                "Speaks the API of the commercial engine, so the original's sensors can use it unchanged: engine.host is its address, engine.api_key a key of \"nfr engine key add\". "
                + "Scores as a sensor does on board. Runs until SIGINT (Ctrl-C) or SIGTERM. /healthz says whether it can store.",
            ],
            Examples =
            [
                ("engine key add boston --data /srv/nfr", "Make a key for a sensor; it is shown this once."),
                ("engine --feeds /srv/lists --feeds https://lists.example/bad.txt", "Lists of a folder, and one that is fetched."),
                ("engine --listen 0.0.0.0:8443 --data /srv/nfr --certificate tls.pem --key tls.key", "Serve sensors over TLS."),
            ],
        };
        foreach (Option option in new Option[] { listen, data, certificate, key, plain, metrics, feeds, scorers, rate, keep, open }) engine.Add(option);
        engine.Add(EngineKeyCommand.Build(setup, data));
        engine.SetAction(parsed =>
        {
            if (!Endpoint(parsed.GetValue(listen) ?? HostedEngineOptions.DefaultListen, out IPEndPoint? at))
                return setup.Usage("engine", $"--listen takes an address and a port, such as {HostedEngineOptions.DefaultListen}; not \"{parsed.GetValue(listen)}\"");
            IPEndPoint? metricsAt = null;
            if (parsed.GetValue(metrics) is { } text && !Endpoint(text, out metricsAt))
                return setup.Usage("engine", $"--metrics takes an address and a port, such as 127.0.0.1:9178; not \"{text}\"");
            if (metricsAt?.Port == 0) return setup.Usage("engine", "--metrics takes a port that can be asked, such as 127.0.0.1:9178; 0 is a different one at each start");
            string? certificateFile = parsed.GetValue(certificate), keyFile = parsed.GetValue(key);
            if (certificateFile is null && keyFile is not null) return setup.Usage("engine", "--key belongs to a --certificate");
            if (certificateFile is null && !IPAddress.IsLoopback(at.Address) && !parsed.GetValue(plain))
                return setup.Usage("engine", $"API keys would cross the network in the clear at {at}: give --certificate and --key, or --plain behind a proxy that has TLS");
            foreach ((Option<int> option, int most) in new[] { (scorers, 64), (rate, 10_000_000), (keep, 100_000_000) })
            {
                if (parsed.GetValue(option) is var number && (number < 1 || number > most)) return setup.Usage("engine", $"{option.Name} takes a number from 1 to {most}; not {number}");
            }
            ScoringConfig? lists = FeedsOf(setup, parsed, parsed.GetValue(feeds) ?? []);
            if (lists is null) return ExitCode.Usage;
            using var stop = new StopSignals();
            return EngineRun.Run(new HostedEngineOptions
            {
                Listen = at, Data = parsed.GetValue(data)!, Certificate = certificateFile, CertificateKey = keyFile, Metrics = metricsAt,
                OpenRegistration = parsed.GetValue(open), FeedsFolders = lists.FeedFolders, Feeds = lists.FeedUrls,
                BadTcpPorts = lists.BadTcpPorts, BadUdpPorts = lists.BadUdpPorts,
                Scorers = parsed.GetValue(scorers), EventsPerSecond = parsed.GetValue(rate), KeptAlerts = parsed.GetValue(keep),
            }, setup.Terminal, stop.Token);
        });
        return engine;
    }

    /// <summary>The lists of --feeds and, when it is named, scoring of the config; null when something is wrong with them, which is told then.</summary>
    static ScoringConfig? FeedsOf(CommandSetup setup, ParseResult parsed, string[] named)
    {
        var lists = new ScoringConfig { FeedFolders = named.Length > 0 ? [] : [ScorerOptions.DefaultFeedsFolder] };
        if (parsed.GetValue(setup.ConfigOption) is not null)
        {
            if (setup.Load(parsed, orDefaults: false) is not { } config) return null;
            lists = config.Scoring;
        }
        List<string> folders = [.. lists.FeedFolders];
        List<FeedConfig> urls = [.. lists.FeedUrls];
        foreach (string text in named)
        {
            if (!text.Contains("://", StringComparison.Ordinal)) folders.Add(Path.GetFullPath(text));
            else if (FeedConfig.TryUrl(text, out Uri url, out string reason)) urls.Add(new FeedConfig { Url = url, Name = FeedConfig.NameOf(url) });
            else
            {
                setup.Usage("engine", "--feeds: " + reason);
                return null;
            }
        }
        string? twice = urls.GroupBy(u => u.Name).FirstOrDefault(g => g.Count() > 1)?.Key;
        if (twice is null && urls.Count <= FeedConfig.MaxFeeds) return lists with { FeedFolders = folders, FeedUrls = urls };
        setup.Usage("engine", twice is null ? $"--feeds: more than {FeedConfig.MaxFeeds} addresses" : $"--feeds: two lists would be called \"{twice}\"; give one of them another name in scoring.feeds of -c FILE");
        return null;
    }

    static Option<string?> Text(string name, string value, string description) => new(name) { Description = description, HelpName = value };

    static Option<int> Number(string name, int normal, string description) =>
        new(name) { Description = $"{description} Default: {normal}", HelpName = "N", DefaultValueFactory = _ => normal };

    static bool Endpoint(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPEndPoint? endpoint) =>
        IPEndPoint.TryParse(text, out endpoint) && text.Contains(':', StringComparison.Ordinal) && (endpoint.Port > 0 || text.EndsWith(":0", StringComparison.Ordinal));
}
