using Nfr.Events;
using Nfr.Native;

namespace Nfr.Uplink;

public sealed partial class FleetLink
{
    /// <summary>What one connection does, on the link's thread.</summary>
    sealed class FleetCall(FleetLink link) : MqttListener
    {
        /// <summary>Commands that are obeyed in one round, and further ones that are looked at to tell their senders that they are not.</summary>
        const int MostCommands = 16, MostTurnedAway = 64;

        readonly Queue<byte[]> _commands = new();
        readonly long _opened = link._time.GetTimestamp();
        /// <summary>What was asked for and is not answered yet, by the broker's ids: filters, and topics of what it is to keep.</summary>
        readonly Dictionary<int, string> _filters = [], _retained = [];
        readonly List<string> _remarks = [];
        int _dropped;
        long _nextBeat;
        long _beat;

        public MqttConnection Connection { get; set; } = null!;
        public bool WasConnected { get; private set; }

        /// <summary>Until the next thing that is due by the clock.</summary>
        public int Milliseconds => 250;

        FleetTopics Topics => link._options.Topics;

        public override void Connected(bool sessionPresent) => WasConnected = true;

        public override void Received(in MqttMessage message)
        {
            if (link._assistant.IsBirth(message.Topic, message.Payload)) return;
            if (message.Topic != Topics.Of(FleetTopic.Command)) return;
            // Cut, and refused as too long: a flood costs little memory, and what finds no room at all is counted.
            if (_commands.Count < MostCommands + MostTurnedAway) _commands.Enqueue(message.Payload[..Math.Min(message.Payload.Length, FleetCommand.MostBytes + 1)].ToArray());
            else _dropped++;
        }

        public override void Published(int id, int reason)
        {
            bool taken = reason < 128;
            if (link._answers.Settled(id, taken))
            {
                if (!taken) Remark($"does not let us answer commands ({MqttConnection.ReasonWords(reason)}); check the user's rights on {Topics.Of(FleetTopic.Answer)} in its ACL");
                return;
            }
            link._assistant.Published(id, taken, link._sequences);
            if (_retained.Remove(id, out string? topic) && !taken) Remark($"does not take {topic} ({MqttConnection.ReasonWords(reason)}); check the user's rights in its ACL");
            if (link._flight is { } flight && flight.TrySettle(id, out int place)) Settled(flight, place, reason);
        }

        void Settled(FleetFlight flight, int place, int reason)
        {
            flight.Since = link._time.GetTimestamp();
            long sequence = flight.Page.Alerts[place].Sequence;
            if (reason < 128)
            {
                link._takesNone = false;
                Heard(reason != NoSubscribers);
                link._suspect.Took(sequence);
                flight.Look();
            }
            else if (FleetWords.Never(reason) is { } why)
            {
                link.Lose(flight.Page.Alerts[place], why);
                flight.Refuse(place);
                flight.Look();
            }
            else
            {
                // It is not taken: it comes again, for rights are given later as well.
                flight.Reopen(place);
                flight.Break(FleetWords.NotNow(reason), "");
            }
        }

        /// <summary>The broker took it and had nobody to give it to (MQTT 5, 3.4.2.1).</summary>
        const int NoSubscribers = 0x10;

        void Heard(bool bySomebody)
        {
            if (bySomebody && _remarks.Count == 0) return;
            string nobody = $"has nobody who listens to {Topics.Of(FleetTopic.Alert)}: it takes alerts, and they go nowhere";
            if (!bySomebody) Remark(nobody);
            else if (_remarks.Remove(nobody)) link.Update(s => s with { Remark = Remarks });
        }

        public override void Subscribed(int id, int granted)
        {
            if (_filters.Remove(id, out string? filter) && granted >= 128)
                Remark(filter == Topics.Of(FleetTopic.Command) ? $"does not let us subscribe {filter}: commands do not arrive; check the user's rights in its ACL" : $"does not let us subscribe {filter}; check the user's rights in its ACL");
        }

        public void Work()
        {
            if (!WasConnected)
            {
                if (link._time.GetElapsedTime(_opened) > s_connack) Connection.Abandon(MqttEndKind.Silent, "no CONNACK");
                return;
            }
            if (_beat == 0) Begin();
            if (Connection.HasEnded) return;
            Obey();
            Answer();
            link._assistant.Work();
            Fly();
            if (link._time.GetTimestamp() >= _nextBeat) Beat();
        }

        /// <summary>What has come: also when the connection has ended meanwhile, since the broker does not send it again.</summary>
        public void Obey()
        {
            for (int i = 0; _commands.TryDequeue(out byte[]? message); i++)
            {
                if ((i < MostCommands ? link._desk.Take(message, link.Answer) : link._desk.TurnAway(message)) is { } answer) link.Answer(answer);
            }
            if (_dropped > 0) link._desk.Dropped(_dropped);
            _dropped = 0;
        }

        void Answer()
        {
            while (link._answers.Next() is { } answer)
            {
                MqttPublish what = Connection.Publish(Topics.Of(FleetTopic.Answer), answer.ToJson(), 1, retain: false, out int id);
                if (what == MqttPublish.Given) link._answers.Given(answer, id);
                else if (what == MqttPublish.TooLarge) link._answers.Refused(answer);
                else return;
            }
        }

        void Begin()
        {
            FleetOptions options = link._options;
            link._connectedAt = link._time.GetTimestamp();
            link._version.Worked();
            link._answers.Begin();
            if (link._tooLarge >= 2) Remark($"sends messages of more than {Connection.Options.MaxInbound:N0} bytes where commands come: they are not asked for any more; restart the sensor once that is over");
            else if (options.Keys.Count > 0) Subscribe(Topics.Of(FleetTopic.Command));
            Retain(Topics.Of(FleetTopic.Info), link._info().ToJson());
            Retain(Topics.Of(FleetTopic.Status), "online"u8.ToArray());
            link._assistant.Begin(Subscribe, Retain, link._info, link._sequences);
            string version = FleetVersion.Name(Connection.Options.Version);
            if (link._version.FellBack) Remark("speaks MQTT 3.1.1 only, in which it cannot say that its ACL forbids an alert: it may acknowledge one and drop it");
            if (Connection.Options.Version == MqttVersion.V311 && !link._toldBlind)
            {
                link._toldBlind = true;
                link._notice(new UplinkNotice(NoticeLevel.Information, $"fleet: MQTT 3.1.1 is spoken with {options.Where}; there no broker can say that its ACL forbids an alert: look at {Topics.Of(FleetTopic.Alert)} once with a client of your own"));
            }
            link.Update(s => s with { IsConnected = true, IsRefused = false, Since = link._time.GetUtcNow(), Trouble = null, Advice = "", NextTry = null, Connects = s.Connects + 1, Version = version, Remark = Remarks });
            link._report.Succeeded("fleet", lasted => $"fleet: {options.Where} is back after {Spoken.Duration(lasted)}");
            link._connected = true;
            Beat();
        }

        void Subscribe(string filter)
        {
            int id = Connection.Subscribe(filter, 1);
            if (id > 0) _filters[id] = filter;
        }

        /// <summary>Gives the broker what it is to keep; the id of it, 0 = it could not be given.</summary>
        int Retain(string topic, byte[] payload)
        {
            MqttPublish what = Connection.Publish(topic, payload, 1, retain: true, out int id);
            if (what == MqttPublish.TooLarge) Remark($"takes no messages as long as {topic}, {payload.Length:N0} bytes (max_packet_size)");
            if (what != MqttPublish.Given) return 0;
            _retained[id] = topic;
            return id;
        }

        /// <summary>Known though it works, said of the broker; each once a connection, and few.</summary>
        void Remark(string what)
        {
            if (_remarks.Count >= 8 || _remarks.Contains(what)) return;
            _remarks.Add(what);
            if (_beat > 0) link.Update(s => s with { Remark = Remarks });
        }

        string? Remarks => _remarks.Count == 0 ? null : string.Join("; ", _remarks.Select(r => $"{link._options.Where} {r}"));

        void Beat()
        {
            _nextBeat = link._time.GetTimestamp() + (long)(link._options.Heartbeat.TotalSeconds * link._time.TimestampFrequency);
            // A broker that did not even read the last one would have them pile up in the library.
            MqttPublish what = MqttPublish.Busy;
            if (!Connection.IsClogged)
            {
                byte[] health = link._health(++_beat).ToJson();
                what = Connection.Publish(Topics.Of(FleetTopic.Health), health, 0, retain: false, out _);
                if (what == MqttPublish.TooLarge) Remark($"takes no messages as long as {Topics.Of(FleetTopic.Health)} (max_packet_size)");
            }
            link.Update(s => what == MqttPublish.Given ? s with { Heartbeats = s.Heartbeats + 1 } : s with { HeartbeatsSkipped = s.HeartbeatsSkipped + 1 });
            if (_beat == 0) _beat = 1;
        }

        void Fly()
        {
            if (link._flight is not { } flight) return;
            FleetSuspect suspect = link._suspect;
            int most = suspect.IsCareful ? 1 : AlertOutput.PageSize;
            while (!flight.IsDone && flight.InFlight < most && flight.Next(suspect.Doubted) is var place and >= 0)
            {
                byte[] alert = AlertJson.ToBytes(flight.Page.Alerts[place].Alert);
                MqttPublish what = Connection.Publish(Topics.Of(FleetTopic.Alert), alert, 1, retain: false, out int id);
                if (what == MqttPublish.Given) flight.Given(place, id);
                else if (what == MqttPublish.TooLarge)
                {
                    link.Lose(flight.Page.Alerts[place], $"it has {alert.Length:N0} bytes, more than the broker takes (max_packet_size)");
                    flight.Refuse(place);
                    flight.Look();
                }
                else break;
            }
            if (flight.IsDone) Interlocked.CompareExchange(ref link._flight, null, flight);
            else if (link._time.GetElapsedTime(flight.Since) > link._options.Patience) Connection.Abandon(MqttEndKind.Silent, "an alert was not acknowledged");
        }

        /// <summary>"offline" by our own word: a will says that something happened.</summary>
        public void SayGoodbye()
        {
            Answer();
            Connection.Publish(Topics.Of(FleetTopic.Status), "offline"u8, 1, retain: true, out _);
            long from = link._time.GetTimestamp();
            while (!Connection.HasEnded && Connection.InFlight > 0 && link._time.GetElapsedTime(from) < s_goodbye) Connection.Run(null, 50);
            // A broker that has not acknowledged everything may not have "offline" either: libmosquitto keeps back what is above the broker's Receive Maximum. DISCONNECT would have it drop
            // the will, and we would be online for ever; without one the will says it.
            if (Connection.HasEnded || Connection.InFlight > 0) return;
            Connection.Disconnect();
            while (!Connection.HasEnded && link._time.GetElapsedTime(from) < s_goodbye) Connection.Run(null, 50);
        }
    }
}
