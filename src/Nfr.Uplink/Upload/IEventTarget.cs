using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>Where a lane brings its batches: an engine, or a cluster that stores events.</summary>
interface IEventTarget
{
    /// <summary>For sentences: "engine https://…", "cluster https://…".</summary>
    string Who { get; }

    /// <summary>A sentence for a key that is refused: by whom, with what words, and what to do.</summary>
    string KeyRefused(string message);

    /// <summary>What goes out of a batch, for its length too: gzip members.</summary>
    ReadOnlyMemory<byte> BodyOf(SpoolBatch part);

    /// <summary>Brings a batch there. An accepted one is settled whole; only the caller's own cancellation throws.</summary>
    /// <param name="part">Of one type.</param>
    /// <param name="body">As <see cref="BodyOf"/> gave it.</param>
    /// <param name="cancel">The caller's wish to stop.</param>
    Task<EngineReply> SendAsync(SpoolBatch part, ReadOnlyMemory<byte> body, CancellationToken cancel);
}

/// <summary>An engine that batches are uploaded to.</summary>
sealed class EngineTarget(EngineClient client, Func<SpoolBatch, ReadOnlyMemory<byte>>? body) : IEventTarget
{
    public string Who => "engine " + client.Host;

    public string KeyRefused(string message) => $"the engine refuses the API key ({message}); run nfr account status, then restart or change the key";

    public ReadOnlyMemory<byte> BodyOf(SpoolBatch part) => body is null ? part.Body : body(part);

    public Task<EngineReply> SendAsync(SpoolBatch part, ReadOnlyMemory<byte> body, CancellationToken cancel) =>
        client.SendEventsAsync(part.Type, body, part.FirstSequence, part.LastSequence, cancel);
}
