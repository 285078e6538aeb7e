using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// Spooled events as documents in a cluster. A batch that it did not take to its end comes again whole: by its ids the cluster knows what it has. A line that is no event, and a document that does not fit the mapping, is refused by itself while its neighbours are stored.
/// </summary>
public sealed class ElasticEvents : IEventTarget, IDisposable
{
    /// <summary>The index template's name begins so.</summary>
    const string TemplateName = "nfr-events";

    readonly ElasticEventOptions _options;
    readonly SensorIdentity _sensor;
    readonly ClockEpochs? _epochs;
    readonly ElasticClient _client;
    readonly ElasticTemplate? _template;
    /// <summary>By type, since each lane sends one batch at a time.</summary>
    readonly BulkSender[] _bulks;

    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="sensor">Part of ids and documents.</param>
    /// <param name="time">Time-outs, and how long a node is left alone.</param>
    /// <param name="handler">The seam of tests.</param>
    /// <param name="epochs">Put stamps right; null = they are.</param>
    public ElasticEvents(ElasticEventOptions options, SensorIdentity sensor, TimeProvider time, HttpMessageHandler? handler = null, ClockEpochs? epochs = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(sensor);
        _options = options;
        _sensor = sensor;
        _epochs = epochs;
        _client = new ElasticClient(options.Cluster, sensor.Version, time, handler);
        _bulks = [.. EventTypes.Uploaded.Select(_ => new BulkSender(_client))];
        // Of all types, whichever are shipped: so types that are added later are in it.
        string[] indices = [.. EventTypes.Uploaded.Select(options.IndexOf).Distinct()];
        _template = options.Cluster.Template ? new ElasticTemplate(_client, TemplateName, indices) : null;
    }

    /// <summary>The cluster as people know it.</summary>
    public string Host => _client.Target;

    string IEventTarget.Who => "cluster " + _client.Target;

    string IEventTarget.KeyRefused(string message) => $"cluster {_client.Target} refuses us ({message}); see outputs.elastic";

    ReadOnlyMemory<byte> IEventTarget.BodyOf(SpoolBatch part) => part.Body;

    async Task<EngineReply> IEventTarget.SendAsync(SpoolBatch part, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        if (_template is not null && await _template.EnsureAsync(cancel) is { } fault) return new EngineReply { Kind = EngineReplyKind.ServerError, Message = fault };
        var refused = new SortedDictionary<int, string>();
        // Which line of the batch each document is.
        var places = new List<int>(part.Count);
        BulkBody documents = Documents(part, places, refused);
        BulkOutcome outcome = documents.Count == 0 ? new BulkOutcome(0, [], null, false) : await _bulks[(int)part.Type].SendAsync(_options.IndexOf(part.Type), documents, cancel);
        if (outcome.Stop is { } stop) return Reply(stop);
        // None taken and all refused may be the cluster's fault: the lane halves them, and waits when it goes on.
        if (!outcome.Any && outcome.Refused.Count > 0) return new EngineReply { Kind = EngineReplyKind.Refused, Status = 400, Message = outcome.Refused[^1].Reason };
        foreach ((int index, string reason) in outcome.Refused) refused[places[index]] = reason;
        return new EngineReply { Kind = EngineReplyKind.Accepted, Status = 200, RefusedEvents = [.. refused.Select(r => new RefusedEvent(r.Key, r.Value))] };
    }

    public void Dispose() => _client.Dispose();

    BulkBody Documents(SpoolBatch part, List<int> places, SortedDictionary<int, string> refused)
    {
        var body = new BulkBody();
        using var ecs = new EcsEvents(_sensor);
        string kind = part.Type.Name();
        IReadOnlyList<ReadOnlyMemory<byte>> lines = part.Lines();
        bool restamps = _epochs is not null && _epochs.Touches(part);
        for (int i = 0; i < part.Count && i < lines.Count; i++)
        {
            ReadOnlyMemory<byte> line = lines[i];
            // Of the line as it was spooled: what comes again after the clock was set is the same document.
            string id = ElasticIds.Of(_sensor.Id, kind, part.SequenceOf(i), line.Span);
            if (restamps) line = Restamped(line, part.Type, part.SequenceOf(i));
            if (body.TryAdd(id, output => ecs.TryWrite(part.Type, line, id, output))) places.Add(i);
            else refused[i] = "the line is no event with a stamp";
        }
        return body;
    }

    ReadOnlyMemory<byte> Restamped(ReadOnlyMemory<byte> line, EventType type, long sequence)
    {
        using MemoryStream output = new(line.Length + EventTime.MaxLength);
        EventLine.WriteRestamped(line.Span, stamp => _epochs!.Corrected(type, sequence, stamp), output);
        return output.ToArray();
    }

    static EngineReply Reply(HttpReply stop) => new()
    {
        Kind = stop.Kind switch
        {
            HttpReplyKind.Throttled => EngineReplyKind.Throttled,
            HttpReplyKind.Denied => EngineReplyKind.Unauthorized,
            HttpReplyKind.Unreachable => EngineReplyKind.Unreachable,
            HttpReplyKind.Endless => EngineReplyKind.Garbled,
            // A cluster that refuses whole requests, moved or is not there: our settings or something before it; the events wait.
            _ => EngineReplyKind.ServerError,
        },
        Status = stop.Status,
        Message = ElasticWords.Advice(stop),
        RetryAfter = stop.RetryAfter,
        TimedOut = stop.TimedOut,
        ClockUnset = stop.ClockUnset,
    };
}
