using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Fleet.Simulated;

/// <summary>
/// One made-up sensor: its will, its birth, a heartbeat, now and then an alert, and an answer to each command, which it believes unseen. How well it is goes by its number, so
/// that every run is the same.
/// </summary>
sealed class SimulatedSensor : MqttListener
{
    const int Packets = 1_200;

    readonly SimulatedFleetOptions _options;
    readonly FleetTopics _topics;
    readonly TimeProvider _time;
    readonly int _number;
    readonly long _begun;
    long _beats;
    long _next;

    SimulatedSensor(SimulatedFleetOptions options, int number, TimeProvider time)
    {
        (_options, _number, _time, _begun) = (options, number, time, time.GetTimestamp());
        _topics = new FleetTopics(options.Site, string.Create(CultureInfo.InvariantCulture, $"sim-{number:0000}"));
        Connection = null!;
    }

    public MqttConnection Connection { get; private set; }

    public static SimulatedSensor Open(SimulatedFleetOptions options, int number, TimeProvider time)
    {
        var sensor = new SimulatedSensor(options, number, time);
        MqttOptions connect = options.Broker.Options(sensor._topics.ClientId, options.Tls);
        sensor.Connection = MqttConnection.Open(connect with { Will = new MqttWill(sensor._topics.Of(FleetTopic.Status), "offline"u8.ToArray()) }, sensor);
        return sensor;
    }

    public override void Connected(bool sessionPresent)
    {
        Connection.Subscribe(_topics.Of(FleetTopic.Command), 1);
        Say(FleetTopic.Status, "online"u8.ToArray(), retain: true);
        Say(FleetTopic.Info, new FleetInfo
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"Branch {_number / 10 + 1}, floor {_number % 10}"),
            Site = _topics.Site,
            Id = _topics.Id,
            Sensor = Convert.ToHexStringLower(BitConverter.GetBytes(_number)) + "00000000",
            Version = _number % 97 == 96 ? "0.8.4" : "0.9.0",
            Model = _number % 3 == 0 ? "Raspberry Pi 5 Model B" : "Raspberry Pi 4 Model B",
            Mac = string.Create(CultureInfo.InvariantCulture, $"02:00:00:00:{_number >> 8:x2}:{_number & 255:x2}"),
            Addresses = [string.Create(CultureInfo.InvariantCulture, $"10.20.{_number >> 8}.{_number & 255}")],
            Capture = ["eth1"],
            Started = _time.GetUtcNow(),
            Commands = ["identify", "ping", "reload", "capture-now", "upgrade-check"],
        }.ToJson(), retain: true);
        // Spread over a heartbeat, and the first one soon.
        _next = _time.GetTimestamp() + Ticks(Math.Min(2, _options.Heartbeat.TotalSeconds) * (_number % 100) / 100);
    }

    /// <summary>Sends its heartbeat when it is time.</summary>
    public void Beat()
    {
        if (!Connection.IsConnected || _time.GetTimestamp() < _next) return;
        _next += Ticks(_options.Heartbeat.TotalSeconds);
        // One in four hundred hangs: connected, and says nothing after its first word.
        if (_number % 400 == 399 && _beats > 0) return;
        _beats++;
        Say(FleetTopic.Health, Health().ToJson(), retain: false);
        if (_number % 200 == 150 && _beats == 1) Say(FleetTopic.Alert, AlertJson.ToBytes(Alert()), retain: false);
    }

    FleetHealth Health()
    {
        double up = _time.GetElapsedTime(_begun).TotalSeconds;
        long packets = (long)(up * (Packets + _number));
        bool loses = _number % 120 == 60;
        FleetTrouble? trouble = _number switch
        {
            _ when loses => new("loss", "capture", "eth1: the kernel dropped 2.5 % of the packets in the last minute", "give capture a processor of its own, or mirror fewer ports"),
            _ when _number % 50 == 25 => new("fault", "uplink", "engine.example has not taken events for 12 min: connection refused", "look whether the engine runs; the spool holds 9 days"),
            _ when _number % 33 == 16 => new("notice", "box", "the board slowed itself down 3 times today: 81 °C", "give it air, or a heat sink"),
            _ => null,
        };
        return new FleetHealth
        {
            // One in two hundred and fifty has its clock an hour ahead.
            Time = _time.GetUtcNow() + TimeSpan.FromHours(_number % 250 == 249 ? 1 : 0),
            IsClockSynchronised = _number % 250 != 249,
            IsWell = trouble is null or { Gravity: "notice" },
            UptimeSeconds = up,
            HeartbeatSeconds = _options.Heartbeat.TotalSeconds,
            Beat = _beats,
            Troubles = trouble is { } one ? [one] : [],
            Ports = [new FleetPort("eth1", true, Packets + _number, (Packets + _number) * 6_400.0, packets, loses ? packets / 39 : 0)],
            EventsPerSecond = 30,
            Ledger = new FleetLedger(packets, packets / 40, packets / 50, _number % 200 == 150 ? 1 : 0, packets / 50, packets / 50, 0, loses ? Packets / 39 : 0, true),
            Spool = new FleetSpool(12 << 20, 1L << 30, _number % 50 == 25 ? 21_600 : 0, 400, false),
            Uplinks = [new FleetWay("engine", _number % 50 == 25 ? 21_600 : 0, _number % 50 == 25 ? "connection refused" : null)],
            Alerts = new FleetAlerts(_number % 200 == 150 ? 1 : 0, null, null),
            Celsius = _number % 33 == 16 ? 81 : 44 + (_number % 9),
            DiskFree = 20L << 30,
            DiskSize = 29L << 30,
            Resident = 118L << 20,
        };
    }

    Alert Alert() => new()
    {
        Threats = [new AlertThreat("c2_beacon", "Beacon to a command and control server", 4, false)],
        Flags = [],
        Labels = [],
        Groups = [],
        Event = new AlertEvent { Type = EventType.Ip, Ts = _time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture), SrcIP = "10.20.30.40", DestIP = "203.0.113.9" },
    };

    public override void Received(in MqttMessage message)
    {
        byte[] jws = message.Payload.ToArray();
        int first = Array.IndexOf(jws, (byte)'.'), last = Array.LastIndexOf(jws, (byte)'.');
        if (first <= 0 || last <= first || message.Payload.Length > FleetCommand.MostBytes) return;
        try
        {
            using JsonDocument header = JsonDocument.Parse(Base64Url.DecodeFromUtf8(jws.AsSpan(0, first))), payload = JsonDocument.Parse(Base64Url.DecodeFromUtf8(jws.AsSpan(first + 1, last - first - 1)));
            string command = payload.RootElement.GetProperty("command").GetString()!;
            bool knows = command is "identify" or "ping" or "reload" or "capture-now" or "upgrade-check";
            Say(FleetTopic.Answer, new FleetAnswer
            {
                Time = _time.GetUtcNow(),
                Key = header.RootElement.GetProperty("kid").GetString(),
                Sequence = payload.RootElement.GetProperty("sequence").GetInt64(),
                Command = command,
                Ok = knows,
                Why = knows ? $"a simulated sensor did {command}" : $"there is no command {command}",
                Result = command == "ping" ? $$"""{"uptimeSeconds":{{(long)_time.GetElapsedTime(_begun).TotalSeconds}}}""" : null,
            }.ToJson(), retain: false);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            // A sensor would refuse it as forged, without a name to answer to.
        }
    }

    public void Clear(MqttConnection by)
    {
        by.Publish(_topics.Of(FleetTopic.Status), [], 0, retain: true, out _);
        by.Publish(_topics.Of(FleetTopic.Info), [], 0, retain: true, out _);
    }

    void Say(FleetTopic about, byte[] what, bool retain) => Connection.Publish(_topics.Of(about), what, 0, retain, out _);

    long Ticks(double seconds) => (long)(seconds * _time.TimestampFrequency);
}
