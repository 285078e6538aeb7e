using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Nfr.Native;

namespace Nfr.Tests;

/// <summary>A client of a test's: hears topics on a persistent session of its own, comes back when the broker does, and may publish.</summary>
sealed class MqttEar : IDisposable
{
    readonly Thread _thread;
    readonly MqttOptions _options;
    readonly string _filter;
    readonly MqttWake _wake = new();
    readonly ConcurrentQueue<(string Topic, byte[] Payload, bool Retain)> _out = new();
    volatile bool _stop;
    volatile int _sessions;

    public MqttEar(MqttOptions options, string filter)
    {
        (_options, _filter) = (options, filter);
        _thread = new Thread(Loop) { IsBackground = true };
        _thread.Start();
        Until(() => _sessions > 0, "the ear hears");
    }

    public ConcurrentQueue<(string Topic, string Text, bool IsRetained)> Heard { get; } = new();

    public IEnumerable<string> Of(string topic) => Heard.Where(h => h.Topic == topic).Select(h => h.Text);

    public void Say(string topic, byte[] payload, bool retain = false)
    {
        _out.Enqueue((topic, payload, retain));
        _wake.Set();
    }

    public static void Until(Func<bool> condition, string what, int seconds = 30)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(begin).TotalSeconds > seconds) throw new TimeoutException($"not within {seconds} s: {what}");
            Thread.Sleep(10);
        }
    }

    void Loop()
    {
        while (!_stop)
        {
            var listener = new Listener(this);
            using MqttConnection connection = MqttConnection.Open(_options, listener);
            listener.Connection = connection;
            while (!connection.HasEnded && !_stop)
            {
                connection.Run(_wake, 100);
                while (connection.IsConnected && _out.TryPeek(out var next) && connection.Publish(next.Topic, next.Payload, 1, next.Retain, out _) == MqttPublish.Given) _out.TryDequeue(out _);
            }
            if (_stop)
            {
                connection.Disconnect();
                return;
            }
            Thread.Sleep(50);
        }
    }

    sealed class Listener(MqttEar ear) : MqttListener
    {
        int _subscription;

        public MqttConnection Connection { get; set; } = null!;

        public override void Connected(bool sessionPresent) => _subscription = Connection.Subscribe(ear._filter, 1);

        public override void Subscribed(int id, int granted)
        {
            if (id == _subscription) ear._sessions++;
        }

        public override void Received(in MqttMessage message) => ear.Heard.Enqueue((message.Topic, Encoding.UTF8.GetString(message.Payload), message.IsRetained));
    }

    public void Dispose()
    {
        _stop = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }
}
