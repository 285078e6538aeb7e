using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Nfr.Commands;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Fleet;

/// <param name="Broker">Where.</param>
/// <param name="Tls">Our files.</param>
/// <param name="Sensors">SITE/ID, ID, or patterns of either.</param>
/// <param name="Command">What they shall do.</param>
/// <param name="Arguments">By name.</param>
/// <param name="Timeout">For the answers, from the last command on.</param>
/// <param name="Json">A line of JSON for each sensor.</param>
sealed record FleetSendOptions(BrokerAddress Broker, MqttTls? Tls, IReadOnlyList<string> Sensors, string Command, IReadOnlyDictionary<string, string> Arguments, TimeSpan Timeout, bool Json);

/// <summary>"nfr fleet send": asks the broker who is there, sends each that is meant a command of its own, and waits for what they answer.</summary>
sealed class FleetSend : IDisposable
{
    /// <summary>For the broker to be reached, and what it has kept of the sensors to come.</summary>
    static readonly TimeSpan s_begin = TimeSpan.FromSeconds(15), s_settle = TimeSpan.FromSeconds(1);
    /// <summary>A broker that is not there, or refuses, may be starting; after this long nobody is let wait for what is known.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    const int LongestResult = 2_000;

    readonly FleetSendOptions _options;
    readonly CommandKey _key;
    readonly Terminal _terminal;
    readonly TimeProvider _time;
    readonly BrokerLink _link;
    /// <summary>Online or not, of at most <see cref="FleetBounds.MostSensors"/>.</summary>
    readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<long, FleetAnswer> _answers = new();
    volatile IReadOnlySet<long> _asked = new HashSet<long>();
    long _listening = -1;

    sealed record Target(string Key, bool? Online, long Sequence);

    public FleetSend(FleetSendOptions options, CommandKey key, Terminal terminal, TimeProvider time)
    {
        (_options, _key, _terminal, _time) = (options, key, terminal, time);
        _link = new BrokerLink(options.Broker, options.Tls, [$"{FleetTopics.Root}/+/+/status", $"{FleetTopics.Root}/+/+/answer"], Take, time)
        {
            Listening = listens => Interlocked.Exchange(ref _listening, listens ? time.GetTimestamp() : -1),
        };
    }

    void Take(string topic, ReadOnlySpan<byte> payload, bool retained)
    {
        if (!FleetAddress.TryRead(topic, out ReadOnlySpan<char> key, out FleetTopic about)) return;
        if (about == FleetTopic.Status)
        {
            if (_known.Count < FleetBounds.MostSensors) _known[key.ToString()] = payload.SequenceEqual("online"u8);
            return;
        }
        // An answer that was kept is one of long ago.
        if (retained || payload.Length > FleetBounds.LongestHealth || FleetAnswer.TryRead(payload.ToArray()) is not { Sequence: { } sequence } answer) return;
        if (answer.Key == _key.Id && _asked.Contains(sequence)) _answers.TryAdd(sequence, answer);
    }

    /// <returns>0 when each one did it, else 1.</returns>
    public int Run(CancellationToken stop)
    {
        _link.Start();
        if (!Wait(stop)) return _terminal.Fail(ExitCode.Failed, _link.State.Trouble ?? $"no answer from {_options.Broker} within {s_begin.TotalSeconds:0} s");
        string[] keys = [.. Meant().Order(StringComparer.Ordinal)];
        if (keys.Length == 0) return _terminal.Fail(ExitCode.Failed, Nobody());
        long first = CommandSequence.Of(_key, _time).Take(keys.Length, out string fault);
        if (first == 0) return _terminal.Fail(ExitCode.Failed, fault);
        Target[] targets = [.. keys.Select((k, i) => new Target(k, _known.TryGetValue(k, out bool online) ? online : null, first + i))];
        var send = new ConcurrentQueue<Target>(targets.Where(t => t.Online != false));
        _asked = targets.Where(t => t.Online != false).Select(t => t.Sequence).ToHashSet();
        bool watched = targets.Length > 1 && Pipeline.ReadProgress.IsWatched(_terminal);
        long last = _time.GetTimestamp();
        while (!stop.IsCancellationRequested && _answers.Count < _asked.Count && _time.GetElapsedTime(last) < _options.Timeout)
        {
            int left = send.Count;
            if (left > 0) _link.Post(connection => Send(connection, send));
            stop.WaitHandle.WaitOne(20);
            if (send.Count < left) last = _time.GetTimestamp();
            if (watched) _terminal.Error.Write($"\r{FleetText.Count(_answers.Count)} of {FleetText.Count(_asked.Count)} have answered\x1b[K");
        }
        if (watched) _terminal.Error.Write("\r\x1b[K");
        return Tell(targets, [.. send.Select(t => t.Sequence)]);
    }

    bool Wait(CancellationToken stop)
    {
        long begun = _time.GetTimestamp();
        while (!stop.IsCancellationRequested && _time.GetElapsedTime(begun) < s_begin)
        {
            if (Interlocked.Read(ref _listening) is >= 0 and var since)
            {
                bool all = _options.Sensors.All(s => s.Contains('/', StringComparison.Ordinal) && !FleetAddress.IsPattern(s) && _known.ContainsKey(s));
                if (all || _time.GetElapsedTime(since) > s_settle) return true;
            }
            if (_time.GetElapsedTime(begun) > s_patience && _link.State is { Since: null, Trouble: not null }) return false;
            stop.WaitHandle.WaitOne(20);
        }
        return false;
    }

    HashSet<string> Meant()
    {
        HashSet<string> meant = new(StringComparer.Ordinal);
        foreach (string wanted in _options.Sensors)
        {
            bool whole = wanted.Contains('/', StringComparison.Ordinal);
            // Named in full it is asked even if the broker knows nothing of it.
            if (whole && FleetTopics.TryParseAddress(wanted, out FleetTopics topics)) meant.Add(topics.Address);
            else meant.UnionWith(_known.Keys.Where(k => FleetAddress.Fits(whole ? k : k.AsSpan(k.IndexOf('/') + 1), wanted)));
        }
        return meant;
    }

    string Nobody()
    {
        string[] there = [.. _known.Keys.Order(StringComparer.Ordinal).Take(6)];
        return $"no sensor at {_options.Broker} is named {string.Join(" or ", _options.Sensors.Select(Printable.Of))}; "
            + (there.Length == 0 ? "there is none at all" : $"there {(_known.Count == 1 ? "is" : "are")} {string.Join(", ", there)}{(_known.Count > there.Length ? $" and {_known.Count - there.Length} more" : "")}");
    }

    /// <summary>As many as the connection takes; the rest when PUBACKs came.</summary>
    void Send(MqttConnection connection, ConcurrentQueue<Target> send)
    {
        while (send.TryPeek(out Target? target))
        {
            byte[] command = _key.Sign(new FleetCommand { Command = _options.Command, To = target.Key, Sequence = target.Sequence, Time = _time.GetUtcNow(), Arguments = _options.Arguments });
            if (connection.Publish($"{FleetTopics.Root}/{target.Key}/{FleetTopics.Name(FleetTopic.Command)}", command, 1, retain: false, out _) != MqttPublish.Given) return;
            send.TryDequeue(out _);
        }
    }

    int Tell(Target[] targets, HashSet<long> unsent)
    {
        int did = 0, refused = 0, offline = 0, silent = 0;
        int width = Math.Clamp(targets.Max(t => t.Key.Length), 12, 40);
        List<ScreenLine> lines = [];
        foreach (Target target in targets)
        {
            _answers.TryGetValue(target.Sequence, out FleetAnswer? answer);
            string verdict, why;
            if (target.Online == false) (verdict, why, offline) = ("offline", "nothing was sent: a command that comes later than five minutes would be refused", offline + 1);
            else if (answer is null) (verdict, why, silent) = ("no answer", unsent.Contains(target.Sequence) ? $"the connection broke before it was sent: {_link.State.Trouble}" : string.Create(CultureInfo.InvariantCulture, $"within {_options.Timeout.TotalSeconds:0.#} s; {Silence(target)}"), silent + 1);
            else if (answer.Ok) (verdict, why, did) = ("ok", answer.Why, did + 1);
            else (verdict, why, refused) = ("refused", answer.Why, refused + 1);
            why = Printable.Of(Cut(why));
            string? result = answer?.Result is { } raw && raw.Length <= LongestResult ? raw : null;
            if (_options.Json) lines.Add(new(Json(target, verdict, why, result)));
            else
            {
                lines.Add(new($"{target.Key.PadRight(width)}  {verdict,-9}  {why}", verdict == "ok" ? ScreenMark.Good : ScreenMark.Bad));
                if (result is not null) lines.Add(new($"{new string(' ', width)}  {"",-9}  {Printable.Of(result)}"));
            }
        }
        if (!_options.Json && targets.Length > 1)
        {
            List<string> rest = [];
            if (refused > 0) rest.Add($"{refused} refused");
            if (silent > 0) rest.Add($"{silent} did not answer");
            if (offline > 0) rest.Add($"{offline} offline");
            lines.Add(new($"{FleetText.Count(did)} of {FleetText.Many(targets.Length, "sensor")} did it{(rest.Count > 0 ? "; " + string.Join(", ", rest) : "")}", did == targets.Length ? ScreenMark.Good : ScreenMark.Bad));
        }
        ScreenLine.Write(lines, _terminal);
        return did == targets.Length ? ExitCode.Good : ExitCode.Failed;
    }

    static string Silence(Target target) => target.Online is null ? "the broker knows no sensor of that name: look at fleet.site and fleet.id of its config" : "does it have the key in fleet.command_keys?";

    static string Cut(string text) => text.Length <= FleetBounds.LongestSentence ? text : text[..FleetBounds.LongestSentence];

    static string Json(Target target, string verdict, string why, string? result)
    {
        using var stream = new MemoryStream(256);
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("sensor", target.Key);
            json.WriteBoolean("ok", verdict == "ok");
            json.WriteString("verdict", verdict);
            json.WriteString("why", why);
            json.WriteNumber("sequence", target.Sequence);
            if (result is not null)
            {
                json.WritePropertyName("result");
                json.WriteRawValue(result);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    public void Dispose() => _link.Dispose();
}
