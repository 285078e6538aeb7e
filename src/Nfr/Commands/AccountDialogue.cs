using Nfr.Config;
using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Commands;

/// <summary>What is asked and said by "nfr account".</summary>
sealed class AccountDialogue(Terminal terminal, AccountApi api, string engine)
{
    const int Tries = 3;
    /// <summary>RFC 5321, 4.5.3.1: 64 for the mailbox, 255 for the domain, 254 in all by the path's limit.</summary>
    const int MaxEmail = 254;
    const int MaxName = 200;

    /// <param name="path">The config file, which may not exist yet.</param>
    /// <param name="config">What it holds, or the defaults.</param>
    /// <param name="host">--host; null = leave engine.host as it is.</param>
    /// <param name="key">--key; null = that of the config, or a new one.</param>
    /// <param name="stop">Ends a request that is under way.</param>
    public int Register(string path, NfrConfig config, string? host, string? key, CancellationToken stop)
    {
        if (key is { Length: 0 } || (key is not null && key.Any(c => c is <= ' ' or > '~' or ':')))
            return terminal.Fail(ExitCode.Usage, "--key takes an API key, which has no spaces or colons; see nfr help account register");
        string? existing = key ?? config.Engine.ApiKey;
        if (existing is not null)
        {
            AccountAnswer<AccountStatus> status = api.Status(existing, stop);
            if (status.Error is not null) return terminal.Fail(ExitCode.Failed, $"cannot ask {engine} about this key: {status.Error}");
            if (status.Value!.Registered) return terminal.Fail(ExitCode.Failed, "Account is already registered");
        }

        terminal.Out.WriteLine("Please provide your details to generate an API key for the Analytics Engine.");
        terminal.Out.WriteLine("A valid email address is required for activation purposes.");
        if (engine == EngineConfig.CloudHost)
        {
            terminal.Out.WriteLine("By performing this request you agree to the operator's Terms of Service and");
            terminal.Out.WriteLine("Privacy Policy (https://www.alphasoc.com/terms-of-service)");
        }
        terminal.Out.WriteLine();
        if (Ask("Full Name", name => name.Length is > 0 and <= MaxName && !name.Any(char.IsControl)) is not { } name
            || Ask("Email", IsEmail) is not { } email) return ExitCode.Failed;

        if (existing is null)
        {
            AccountAnswer<string> answer = api.RequestKey(stop);
            if (answer.Error is not null) return terminal.Fail(ExitCode.Failed, $"no API key from {engine}: {answer.Error}; run 'nfr account register' again");
            existing = answer.Value!;
        }
        string again = $"nfr account register --key {existing}{(host is null ? "" : $" --host {host}")}";
        if (Save(path, existing, host) is { } reason)
            return terminal.Fail(ExitCode.Failed, $"{path} was not written: {reason}; your key is not lost: run '{again}'");
        AccountAnswer<AccountDone> done = api.Register(existing, new AccountDetails(name, email), stop);
        if (done.Error is not null) return terminal.Fail(ExitCode.Failed, $"{engine} did not register you: {done.Error}; then run '{again}'");

        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"Success! The configuration has been written to {path}");
        terminal.Out.WriteLine("Next, check your email and click the verification link to activate your API key.");
        if (host is null && config.Engine is { HostIsSet: true, IsEmbedded: true })
            terminal.Out.WriteLine($"Nothing is uploaded while engine.host is embedded; remove that line from {path} to upload.");
        return ExitCode.Good;
    }

    public int Reset(string email, CancellationToken stop)
    {
        AccountAnswer<AccountDone> answer = api.Reset(email, stop);
        if (answer.Error is not null) return terminal.Fail(ExitCode.Failed, $"{engine} did not reset the key: {answer.Error}");
        terminal.Out.WriteLine("Check your email and click the reset link to get new API key");
        return ExitCode.Good;
    }

    public int Status(NfrConfig config, CancellationToken stop)
    {
        if (config.Engine.ApiKey is not { } key)
            return terminal.Fail(ExitCode.Failed, $"{config.File} has no engine.api_key; run 'nfr account register' to get one");
        AccountAnswer<AccountStatus> answer = api.Status(key, stop);
        if (answer.Error is not null) return terminal.Fail(ExitCode.Failed, $"no status from {engine}: {answer.Error}");
        AccountStatus status = answer.Value!;
        terminal.Out.WriteLine($"Account registered: {(status.Registered ? "true" : "false")}");
        terminal.Out.WriteLine($"Account expired: {(status.Expired ? "true" : "false")}");
        if (!string.IsNullOrEmpty(status.ExpirationDate)) terminal.Out.WriteLine($"Expiration date: {Plain(status.ExpirationDate)}");
        if (status.EndpointsSeenToday is { } endpoints) terminal.Out.WriteLine($"Endpoints seen today: {endpoints}");
        foreach (AccountMessage message in status.Messages)
            terminal.Out.WriteLine($"{message.Level switch { 2 => "Warning", 3 => "Error", _ => "Message" }}: {Plain(message.Body)}");
        return ExitCode.Good;
    }

    string? Ask(string what, Func<string, bool> good)
    {
        for (int left = Tries; left > 0; left--)
        {
            terminal.Out.Write(what + ": ");
            terminal.Out.Flush();
            if (terminal.In.ReadLine()?.Trim() is not { } answer)
            {
                terminal.Out.WriteLine();
                terminal.Fail(ExitCode.Failed, $"the input ended before {what} was given; run 'nfr account register' again");
                return null;
            }
            if (good(answer)) return answer;
            if (left > 1) terminal.Out.WriteLine(answer.Length == 0 ? $"{what} is needed." : $"That is not a valid {what}.");
        }
        terminal.Fail(ExitCode.Failed, $"no valid {what} in {Tries} tries; run 'nfr account register' again");
        return null;
    }

    /// <summary>One "@", something before it, and a domain with a dot behind it; the verification mail proves the rest.</summary>
    internal static bool IsEmail(string text)
    {
        int at = text.IndexOf('@', StringComparison.Ordinal);
        return text.Length <= MaxEmail && at is > 0 and <= 64 && at == text.LastIndexOf('@') && !text.Any(c => char.IsControl(c) || c is ' ' or ',' or ';' or '<' or '>')
            && text[0] != '.' && text[at - 1] != '.' && text.IndexOf('.', at) > 0 && !text.EndsWith('.') && DomainPattern.TryParse(text.AsSpan(at + 1), out DomainPattern domain) && !domain.Subtree;
    }

    // Nothing that a server sends may speak to the terminal.
    static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));

    static string? Save(string path, string key, string? host)
    {
        bool fresh = !File.Exists(path);
        string text;
        if (fresh) text = ShippedFiles.Config;
        else if (ConfigFile.ReadBytes(path, out string unread) is { } bytes) text = System.Text.Encoding.UTF8.GetString(bytes);
        else return unread;
        string? edited = ConfigEditor.SetEngine(text, "api_key", key);
        if (edited is not null && host is not null) edited = ConfigEditor.SetEngine(edited, "host", host);
        if (edited is null) return "its engine section cannot be edited line by line; write api_key under engine: by hand";
        if (ConfigEditor.Save(path, edited, secret: true) is { } reason) return reason;
        string scope = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "scope.yml");
        return fresh && !File.Exists(scope) ? ConfigEditor.Save(scope, ShippedFiles.Scope, secret: false) : null;
    }
}
