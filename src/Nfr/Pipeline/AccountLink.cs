using Nfr.Commands;
using Nfr.Config;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>The account commands' calls, bound to the engine's client: another host is reached the same way (proxy, TLS).</summary>
static class AccountLink
{
    public static AccountApi Of(string host, EngineConfig way) => new()
    {
        RequestKey = stop => With(host, way, "", async client =>
        {
            EngineAnswer<IssuedKey> answer = await client.RequestKeyAsync($"nfr-{(OperatingSystem.IsWindows() ? "windows" : "linux")}-{Architecture}", stop);
            return answer.Value is { } key ? new AccountAnswer<string>(key.Key, null) : new(null, answer.Reply.Message);
        }),
        Register = (key, details, stop) => With(host, way, key, async client => Done(await client.RegisterAccountAsync(details.Name, details.Email, stop))),
        Reset = (email, stop) => With(host, way, "", async client => Done(await client.ResetKeyAsync(email, stop))),
        Status = (key, stop) => With(host, way, key, async client =>
        {
            EngineAnswer<AccountStatus> answer = await client.GetAccountStatusAsync(stop);
            return answer.Value is { } status ? status : new AccountAnswer<AccountStatus>(null, answer.Reply.Message);
        }),
    };

    static string Architecture => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };

    static AccountAnswer<AccountDone> Done(EngineReply reply) => reply.IsAccepted ? new(new AccountDone(), null) : new(null, reply.Message);

    static T With<T>(string host, EngineConfig way, string key, Func<EngineClient, Task<T>> call)
    {
        using var client = new EngineClient(SensorParts.EngineOf(way, "") with { Host = host, ApiKey = key }, TimeProvider.System);
        return Task.Run(() => call(client)).GetAwaiter().GetResult();
    }
}
