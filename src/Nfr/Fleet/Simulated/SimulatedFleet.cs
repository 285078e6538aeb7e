using Nfr.Commands;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Fleet.Simulated;

/// <param name="Broker">Where; a broker for trying things out.</param>
/// <param name="Tls">Our files.</param>
/// <param name="Site">The site they are all of.</param>
/// <param name="Sensors">How many; each has a connection and a will of its own.</param>
/// <param name="Heartbeat">Between two of one sensor's.</param>
/// <param name="Lasts">From the last one's connection on.</param>
/// <param name="Leave">So many cut their connections without a word after a third of the time: the broker gives out their wills.</param>
/// <param name="Keep">What the broker has kept of them stays with it.</param>
sealed record SimulatedFleetOptions(BrokerAddress Broker, MqttTls? Tls, string Site, int Sensors, TimeSpan Heartbeat, TimeSpan Lasts, int Leave, bool Keep);

/// <summary>"nfr fleet simulate": as many sensors on a broker as wanted, real clients each, run by one thread.</summary>
sealed class SimulatedFleet(SimulatedFleetOptions options, Terminal terminal, TimeProvider time)
{
    public const int MostSensors = FleetBounds.MostSensors;
    /// <summary>Connections that wait for their CONNACK.</summary>
    const int MostPending = 64;
    const int Turn = 20;
    static readonly TimeSpan s_connectLimit = TimeSpan.FromSeconds(20), s_goodbye = TimeSpan.FromSeconds(10);

    readonly List<SimulatedSensor> _sensors = [];

    /// <returns>0 when all were connected to the end.</returns>
    public int Run(CancellationToken stop)
    {
        try
        {
            if (Connect(stop) is { } fault) return terminal.Fail(ExitCode.Failed, $"after {_sensors.Count(s => s.Connection.IsConnected)} of {options.Sensors} sensors: {fault}");
            terminal.Error.WriteLine($"nfr: {FleetText.Many(options.Sensors, "sensor")} connected to {options.Broker}");
            long begun = time.GetTimestamp();
            bool left = options.Leave == 0;
            while (!stop.IsCancellationRequested && time.GetElapsedTime(begun) < options.Lasts)
            {
                Step();
                if (left || time.GetElapsedTime(begun) < options.Lasts / 3) continue;
                left = true;
                foreach (SimulatedSensor sensor in _sensors.Take(options.Leave)) sensor.Connection.Abandon(MqttEndKind.Asked, "cut");
                terminal.Error.WriteLine($"nfr: {FleetText.Many(options.Leave, "sensor")} cut off");
            }
            MqttConnection? lost = _sensors.Skip(options.Leave).Select(s => s.Connection).FirstOrDefault(c => c.HasEnded);
            if (!options.Keep) Clear();
            return lost is null ? ExitCode.Good : terminal.Fail(ExitCode.Failed, "a sensor lost its connection: " + BrokerWords.Of(lost.End, options.Broker, options.Tls));
        }
        finally
        {
            foreach (SimulatedSensor sensor in _sensors) sensor.Connection.Disconnect();
            Until(s_goodbye, () => _sensors.TrueForAll(s => s.Connection.HasEnded));
            foreach (SimulatedSensor sensor in _sensors) sensor.Connection.Dispose();
        }
    }

    string? Connect(CancellationToken stop)
    {
        long begun = time.GetTimestamp();
        while (_sensors.Count(s => s.Connection.IsConnected) is var connected && connected < options.Sensors && !stop.IsCancellationRequested)
        {
            if (time.GetElapsedTime(begun) > s_connectLimit + TimeSpan.FromMilliseconds(20 * options.Sensors)) return "the broker is too slow";
            while (_sensors.Count < options.Sensors && _sensors.Count - connected < MostPending) _sensors.Add(SimulatedSensor.Open(options, _sensors.Count, time));
            Step();
            if (_sensors.Find(s => s.Connection.HasEnded) is { } ended) return BrokerWords.Of(ended.Connection.End, options.Broker, options.Tls);
        }
        return null;
    }

    void Step()
    {
        MqttConnection.Run(_sensors.Select(s => s.Connection).ToArray(), null, Turn);
        foreach (SimulatedSensor sensor in _sensors) sensor.Beat();
    }

    /// <summary>Takes them out of the broker: an empty message in place of what it keeps. Those that are gone are taken out by one that is not.</summary>
    void Clear()
    {
        if (_sensors.Find(s => s.Connection.IsConnected) is not { } any) return;
        foreach (SimulatedSensor sensor in _sensors) sensor.Clear(sensor.Connection.IsConnected ? sensor.Connection : any.Connection);
        Until(s_goodbye, () => !_sensors.Exists(s => s.Connection.IsConnected && s.Connection.IsClogged));
    }

    void Until(TimeSpan limit, Func<bool> done)
    {
        for (long begun = time.GetTimestamp(); !done() && time.GetElapsedTime(begun) < limit;) MqttConnection.Run(_sensors.Select(s => s.Connection).ToArray(), null, Turn);
    }
}
