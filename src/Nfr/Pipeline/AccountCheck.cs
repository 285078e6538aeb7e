using Nfr.Config;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>The key is tried before anything is started: a wrong one is the user's to mend; an engine that cannot be reached is not, so the spool takes over.</summary>
static class AccountCheck
{
    /// <summary>One line that says what to do when the engine refuses the key; null when it takes it or does not answer.</summary>
    public static string? Refused(EngineConfig engine)
    {
        using var client = new EngineClient(SensorParts.EngineOf(engine, "") with { TotalTimeout = TimeSpan.FromSeconds(10) }, TimeProvider.System);
        EngineReply reply = Task.Run(() => client.GetAccountStatusAsync(CancellationToken.None)).GetAwaiter().GetResult().Reply;
        return reply.Kind == EngineReplyKind.Unauthorized
            ? $"engine {engine.Host} refuses the API key {ApiKeyText.Shadow(engine.ApiKey ?? "")}: {reply.Message}; see nfr account status"
            : null;
    }
}
