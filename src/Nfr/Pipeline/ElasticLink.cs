using Nfr.Config;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>Ships spooled events to a cluster, as an engine's uploader does: its own progress, its own lanes. On the thread pool; never waited for by capture.</summary>
sealed class ElasticLink : IDisposable
{
    readonly ElasticEvents _events;
    readonly CancellationTokenSource _stop = new();
    Task _loop = Task.CompletedTask;

    /// <param name="config">outputs.elastic with a cluster and events.</param>
    /// <param name="spool">With the consumer <see cref="ElasticEventOptions.Consumer"/>.</param>
    /// <param name="log">Hears what goes wrong.</param>
    /// <param name="time">Of intervals and time-outs.</param>
    /// <param name="epochs">Put stamps right; null = they are.</param>
    public ElasticLink(NfrConfig config, Spool spool, ILogger log, TimeProvider time, ClockEpochs? epochs = null)
    {
        ElasticOutputConfig elastic = config.Outputs.Elastic;
        var options = new ElasticEventOptions { Cluster = elastic.Cluster!, Index = elastic.EventsIndex, Types = elastic.Events };
        _events = new ElasticEvents(options, SensorParts.IdentityOf(spool.SensorId), time, epochs: epochs);
        Consumer = spool.Consumer(ElasticEventOptions.Consumer);
        Uploader = new Uploader(_events, spool, SensorParts.ShippingOf(config), time, n => Notices.Log(log, n));
    }

    public string Host => _events.Host;
    public SpoolConsumer Consumer { get; }
    public Uploader Uploader { get; }

    public void Start() => _loop = Task.Run(() => Uploader.RunAsync(_stop.Token));

    /// <summary>No more is sent from now on; ends when the request in flight has, within <see cref="Nfr.Uplink.Uploader.Grace"/>.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public void Dispose()
    {
        _events.Dispose();
        _stop.Dispose();
    }
}
