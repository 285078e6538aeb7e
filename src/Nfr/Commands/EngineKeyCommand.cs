using System.CommandLine;
using System.Globalization;
using Nfr.Engine;
using Nfr.Events;

namespace Nfr.Commands;

/// <summary>"nfr engine key add|list|revoke": the keys of a self-hosted engine, which may run meanwhile.</summary>
static class EngineKeyCommand
{
    public static Command Build(CommandSetup setup, Option<string> data) =>
        new NfrCommand("key", "Look after the API keys of your engine.") { Add(setup, data), List(setup, data), Revoke(setup, data) };

    static NfrCommand Add(CommandSetup setup, Option<string> data)
    {
        var name = new Argument<string>("name") { HelpName = "NAME", Description = "Whose key it is, such as the sensor's name." };
        var site = new Option<string?>("--site") { Description = "Keys of one site know the same hosts and see the same alerts. Default: a site by itself.", HelpName = "SITE" };
        var home = new Option<string[]>("--home") { Description = "A network that is home besides the private ones; may be repeated.", HelpName = "CIDR", Arity = ArgumentArity.OneOrMore };
        var add = new NfrCommand("add", "Make an API key and show it, this once: only its hash is kept.")
        {
            Examples =
            [
                ("engine key add boston", "A sensor at a site of its own."),
                ("engine key add lima-2 --site lima --home 203.0.113.0/24", "A second sensor of one site, which also has public addresses."),
            ],
        };
        add.Add(name);
        add.Add(site);
        add.Add(home);
        add.SetAction(parsed => With(setup, parsed.GetValue(data)!, db =>
        {
            List<IpPrefix> homes = [];
            foreach (string text in parsed.GetValue(home) ?? [])
            {
                if (!IpPrefix.TryParse(text, out IpPrefix prefix)) return setup.Usage("engine key add", $"--home takes a network such as 203.0.113.0/24; not \"{text}\"");
                homes.Add(prefix);
            }
            string who = parsed.GetValue(name)!, where = parsed.GetValue(site) ?? "";
            if (!IsName(who) || (where.Length > 0 && (!IsName(where) || where.StartsWith('#'))))
                return setup.Usage("engine key add", "names are of up to 100 printable characters, and a site's does not begin with #");
            string key = ApiKeys.New();
            db.AddKey(new KeyRow(0, ApiKeys.Hash(key), ApiKeys.Shadow(key), who, where, homes, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), 0, true, ""));
            setup.Terminal.Out.WriteLine(key);
            return ExitCode.Good;
        }));
        return add;
    }

    static NfrCommand List(CommandSetup setup, Option<string> data)
    {
        var list = new NfrCommand("list", "Show the keys, and what was heard of each.");
        list.SetAction(parsed => With(setup, parsed.GetValue(data)!, db =>
        {
            Dictionary<long, SensorState> states = db.ReadSensors();
            TextWriter output = setup.Terminal.Out;
            output.WriteLine($"{"ID",5}  {"KEY",-11}  {"NAME",-20}  {"SITE",-12}  {"STATE",-12}  {"LAST SEEN (UTC)",-19}  {"DNS",9}  {"IP",9}  {"HTTP",9}  {"TLS",9}  {"REJECTED",8}");
            foreach (KeyRow key in db.ReadKeys())
            {
                SensorState state = states.GetValueOrDefault(key.Id) ?? new SensorState();
                string standing = key.Revoked != 0 ? "revoked" : key.Registered ? "good" : "unregistered";
                string seen = state.LastSeen == 0 ? "never" : DateTimeOffset.FromUnixTimeSeconds(state.LastSeen).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{key.Id,5}  {key.Shadow,-11}  {Printable(key.Name),-20}  {(key.Site.Length > 0 ? key.Site : "-"),-12}  {standing,-12}  {seen,-19}  {state.Events[0],9}  {state.Events[1],9}  {state.Events[2],9}  {state.Events[3],9}  {state.Rejected,8}"));
            }
            return ExitCode.Good;
        }));
        return list;
    }

    static NfrCommand Revoke(CommandSetup setup, Option<string> data)
    {
        var id = new Argument<long>("id") { HelpName = "ID", Description = "The number of \"nfr engine key list\"." };
        var revoke = new NfrCommand("revoke", "Refuse a key from now on; a running engine does within a second.") { id };
        revoke.SetAction(parsed => With(setup, parsed.GetValue(data)!, db =>
        {
            KeyRow? key = db.ReadKeys().FirstOrDefault(k => k.Id == parsed.GetValue(id));
            if (key is null) return setup.Terminal.Fail(ExitCode.Failed, $"there is no key {parsed.GetValue(id)}; see nfr engine key list");
            if (key.Revoked != 0) return setup.Terminal.Fail(ExitCode.Failed, $"key {key.Id} ({Printable(key.Name)}) was revoked before");
            db.Revoke(key.Id, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
            setup.Terminal.Out.WriteLine($"Key {key.Id} ({Printable(key.Name)}) is revoked.");
            return ExitCode.Good;
        }));
        return revoke;
    }

    static int With(CommandSetup setup, string data, Func<EngineDatabase, int> what)
    {
        try
        {
            using EngineDatabase db = EngineDatabase.Open(data);
            return what(db);
        }
        catch (EngineStoreException fault)
        {
            return setup.Terminal.Fail(ExitCode.Failed, fault.Message);
        }
    }

    static bool IsName(string text) => text.Length is > 0 and <= 100 && !text.Any(char.IsControl);

    /// <summary>Names of key/request come from strangers.</summary>
    static string Printable(string text) => new([.. text.Select(c => char.IsControl(c) ? '?' : c)]);
}
