using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Nfr.Events;
using Nfr.Tests.Uplink;

namespace Nfr.Faults.Kill;

/// <summary>
/// An engine that writes down what it was sent, by the life that sent it, and holds it against promise 2: within one life nothing comes twice; what an
/// earlier life had sent comes again only if it was in that life's last batch of the type, whose answer it may not have noted; a number always means the same event.
/// </summary>
sealed class Sink : IAsyncDisposable
{
    readonly record struct Arrival(int Life, EventType Type, int Batch);

    readonly EngineServer _server;
    readonly Lock _lock = new();
    readonly Dictionary<string, Arrival> _arrivals = [];
    readonly Dictionary<(EventType, long), string> _numbers = [];
    readonly Dictionary<(int Life, EventType), int> _lastBatch = [];
    readonly List<string> _faults = [];
    readonly Random _random = new(7);
    int _batches, _newest;

    Sink(EngineServer server) => _server = server;

    public static async Task<Sink> StartAsync()
    {
        var sink = new Sink(await EngineServer.StartAsync());
        sink._server.Answer = sink.AnswerAsync;
        return sink;
    }

    public string Host => _server.Host;
    public int Batches => _batches;
    public int DoubledBatches { get; private set; }
    public long DoubledEvents { get; private set; }

    /// <summary>Different events that came.</summary>
    public long Events
    {
        get
        {
            lock (_lock) return _arrivals.Count;
        }
    }

    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_lock) return [.. _faults];
        }
    }

    /// <summary>How many of the first <paramref name="count"/> events of a life never came.</summary>
    public int Missing(int life, long count)
    {
        lock (_lock)
        {
            int missing = 0;
            for (long i = 0; i < count; i++) missing += _arrivals.ContainsKey($"{life}:{i}") ? 0 : 1;
            return missing;
        }
    }

    async Task AnswerAsync(HttpContext context, Recorded request)
    {
        string key = Encoding.UTF8.GetString(Convert.FromBase64String(request.Headers["Authorization"]["Basic ".Length..]));
        int life = int.Parse(key.AsSpan("life-".Length, key.Length - "life-:".Length), CultureInfo.InvariantCulture), pause;
        EventType type = EventTypes.Uploaded.Single(t => request.Path.EndsWith("/" + t.Name(), StringComparison.Ordinal));
        long[] range = [.. request.Headers["X-NFR-Sequence"].Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
        string[] lines = request.Lines;
        lock (_lock)
        {
            // What a dead process had sent may be read only now. It got no answer and noted none, so all of it comes again.
            if (life >= _newest) Take(life, type, range, lines);
            _newest = Math.Max(_newest, life);
            pause = _random.Next(30);
        }
        // The answer takes its time, so that kills fall between an event's arrival and the sensor's note of it.
        await Task.Delay(pause);
        await EngineServer.Ok(context, request);
    }

    void Take(int life, EventType type, long[] range, string[] lines)
    {
        int batch = ++_batches;
        // Where a batch spans two lives its range has a gap; then only the names of the events tell.
        bool numbered = range[1] - range[0] + 1 == lines.Length;
        if (range[1] - range[0] + 1 < lines.Length) _faults.Add($"{lines.Length} events came as {range[0]}-{range[1]}");
        int doubled = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            using JsonDocument line = JsonDocument.Parse(lines[i]);
            string name = $"{line.RootElement.GetProperty("life").GetInt32()}:{line.RootElement.GetProperty("i").GetInt32()}";
            if (numbered && !_numbers.TryAdd((type, range[0] + i), name) && _numbers[(type, range[0] + i)] is var known && known != name)
                _faults.Add($"{type.Name()} {range[0] + i} was {known}, and came as {name}");
            if (_arrivals.TryAdd(name, new Arrival(life, type, batch))) continue;
            doubled++;
            Arrival before = _arrivals[name];
            if (before.Life == life) _faults.Add($"{name} came twice in life {life}");
            if (_lastBatch[(before.Life, type)] != before.Batch) _faults.Add($"{name} came again in life {life}, and was not in flight at the end of life {before.Life}");
            _arrivals[name] = new Arrival(life, type, batch);
        }
        _lastBatch[(life, type)] = batch;
        DoubledEvents += doubled;
        DoubledBatches += doubled > 0 ? 1 : 0;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
