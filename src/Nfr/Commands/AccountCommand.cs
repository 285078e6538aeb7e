using System.CommandLine;
using Nfr.Config;

namespace Nfr.Commands;

/// <summary>"nfr account register|reset|status".</summary>
static class AccountCommand
{
    public static Command Build(CommandSetup setup) =>
        new NfrCommand("account", "Get and look after an API key.") { Register(setup), Reset(setup), Status(setup) };

    static NfrCommand Register(CommandSetup setup)
    {
        var host = new Option<string?>("--host") { Description = $"The engine's address. Default: engine.host, else {EngineConfig.CloudHost}.", HelpName = "URL" };
        var key = new Option<string?>("--key") { Description = "A key you already have. Default: engine.api_key, else a new one.", HelpName = "KEY" };
        var register = new NfrCommand("register", "Get an API key and write it to the config.")
        {
            Remarks = ["Asks for a name and an e-mail address; both may come from a pipe. The config is made if missing; in an existing one only the key changes."],
            Examples =
            [
                ("account register", "Register and begin to upload."),
                ("account register --key KEY", "Go on after a registration that failed."),
            ],
        };
        register.Add(host);
        register.Add(key);
        register.SetAction((parsed, stop) =>
        {
            if (setup.Load(parsed, orDefaults: true, creates: true) is not { } config) return Task.FromResult(ExitCode.Usage);
            string? address = parsed.GetValue(host);
            if (address is not null && !EngineConfig.TryAddress(address, out address))
                return Task.FromResult(setup.Usage("account register", $"--host takes an address such as {EngineConfig.CloudHost}; not \"{parsed.GetValue(host)}\""));
            string engine = address ?? (config.Engine.IsEmbedded ? EngineConfig.CloudHost : config.Engine.Host);
            var dialogue = new AccountDialogue(setup.Terminal, setup.Wiring.Account(engine, config.Engine), engine);
            return Task.FromResult(dialogue.Register(setup.ConfigPath(parsed), config, address, parsed.GetValue(key), stop));
        });
        return register;
    }

    static NfrCommand Reset(CommandSetup setup)
    {
        var email = new Argument<string>("email") { HelpName = "EMAIL", Description = "The address that was registered." };
        var reset = new NfrCommand("reset", "Reset the API key of an e-mail address.") { email };
        reset.SetAction((parsed, stop) =>
        {
            string address = parsed.GetValue(email)!;
            if (!AccountDialogue.IsEmail(address)) return Task.FromResult(setup.Usage("account reset", $"\"{address}\" is no e-mail address"));
            if (setup.Load(parsed, orDefaults: true) is not { } config) return Task.FromResult(ExitCode.Usage);
            return Task.FromResult(Dialogue(setup, config).Reset(address, stop));
        });
        return reset;
    }

    static NfrCommand Status(CommandSetup setup)
    {
        var status = new NfrCommand("status", "Show the state of your API key and licence.");
        status.SetAction((parsed, stop) => Task.FromResult(
            setup.Load(parsed, orDefaults: true) is not { } config ? ExitCode.Usage : Dialogue(setup, config).Status(config, stop)));
        return status;
    }

    static AccountDialogue Dialogue(CommandSetup setup, NfrConfig config)
    {
        string engine = config.Engine.IsEmbedded ? EngineConfig.CloudHost : config.Engine.Host;
        return new AccountDialogue(setup.Terminal, setup.Wiring.Account(engine, config.Engine), engine);
    }
}
