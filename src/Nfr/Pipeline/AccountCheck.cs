using Nfr.Config;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>The key is tried before anything is started: a wrong one is the user's to mend; an engine that cannot be reached is not, so the spool takes over.</summary>
static class AccountCheck
{
    /// <summary>One line that says what to do when the engine refuses the key; null when it takes it or does not answer.</summary>
    /// <param name="engine">Where, and the key.</param>
    /// <param name="takesAllFields">As <see cref="EngineClient.TakesAllFields"/>; null without an answer.</param>
    public static string? Refused(EngineConfig engine, out bool? takesAllFields)
    {
        using var client = new EngineClient(SensorParts.EngineOf(engine, "") with { TotalTimeout = TimeSpan.FromSeconds(10) }, TimeProvider.System);
        EngineReply reply = Task.Run(() => client.GetAccountStatusAsync(CancellationToken.None)).GetAwaiter().GetResult().Reply;
        takesAllFields = client.TakesAllFields;
        return reply.Kind == EngineReplyKind.Unauthorized
            ? $"engine {engine.Host} refuses the API key {ApiKeyText.Shadow(engine.ApiKey ?? "")}: {reply.Message}; see nfr account status"
            : null;
    }
}
