using System.Buffers.Binary;
using System.Text;
using Nfr.Health;

namespace Nfr.Panel;

/// <summary>What is wrong with bytes that claim to be a message.</summary>
enum PanelFault : byte
{
    None,
    /// <summary>Neither <see cref="PanelMessage.Length"/> nor <see cref="PanelRequest.Length"/> bytes.</summary>
    WrongLength,
    /// <summary>It does not begin as ours do.</summary>
    NotOurs,
    /// <summary>Sensor and panel are of different versions: restart the older one.</summary>
    OtherVersion,
    /// <summary>A list is longer than it may be.</summary>
    TooMany,
    /// <summary>A text is longer than its place, or no UTF-8.</summary>
    BadText,
    /// <summary>A number that is not one of its kind's.</summary>
    BadNumber,
}

/// <summary>
/// A <see cref="PanelState"/> on its way to the panel: always <see cref="Length"/> bytes, numbers with the least byte first.
/// <code>
///  0  "NFRP"        4  version u16   6  nothing u16
///  8  the state, each field in the order of Write, each in a place of fixed width:
///     text  u8 length in bytes, then its width in bytes, zeros behind it
///     list  u8 count, then every place it may have, zeros in those that are free
///     null  u8 0 or 1, then the place
///  …  zeros to the end
/// </code>
/// Sensor and panel come in one package; <see cref="Version"/> is for the moment in which only one of them has been restarted.
/// </summary>
static class PanelMessage
{
    public const int Length = 8192;
    public const ushort Version = 3;

    internal static ReadOnlySpan<byte> Magic => "NFRP"u8;

    // Widths of texts, in bytes.
    const int Name = 48;
    const int Short = 32;
    const int Interface = 16;
    const int Address = 46;
    const int Phrase = 96;
    const int Sentence = 200;
    /// <summary>SITE/ID, 64 each at most.</summary>
    const int Identity = 130;

    /// <summary>Lists beyond their Most are cut, and texts too long for their places.</summary>
    /// <param name="state">What is sent.</param>
    /// <param name="message">Of <see cref="Length"/> bytes.</param>
    public static void Write(PanelState state, Span<byte> message)
    {
        var w = new Writer(message[..Length]);
        w.Header(Magic, Version);
        w.Text(state.Name, Name);
        w.Text(state.Site, Short);
        w.Text(state.SensorId, Short);
        w.Text(state.Version, Short);
        w.List(state.Addresses, PanelState.MostAddresses, "", (ref Writer to, string a) => to.Text(a, Address));
        w.Int64(state.Now.ToUnixTimeMilliseconds());
        w.Span(state.Uptime);
        w.Byte((byte)state.Clock);
        w.List(state.Ports, PanelState.MostPorts, new PanelPort("", default, false), Port);
        w.Double(state.PacketsPerSecond);
        w.Double(state.BitsPerSecond);
        w.Int64(state.Dropped);
        w.Int32(state.Inputs);
        Spool(ref w, state.Spool);
        w.List(state.Uplinks, PanelState.MostUplinks, new PanelUplink("", default), Uplink);
        w.Byte((byte)state.Fleet.Phase);
        w.Text(state.Fleet.Broker, Name);
        w.Text(state.Fleet.Trouble, Phrase);
        w.List(state.Alerts, PanelState.MostAlerts, new PanelAlert(0, 0, "", "", DateTimeOffset.UnixEpoch, false), Alert);
        w.Int64(state.Unacknowledged);
        w.Byte((byte)Math.Clamp(state.WorstUnacknowledged, 0, 5));
        w.Byte((byte)state.Health);
        w.List(state.Troubles, PanelState.MostTroubles, new Trouble(default, "", "", ""), Wrong);
        w.Int32(state.TroubleCount);
        Box(ref w, state.Box);
        w.Byte((byte)state.Update.Phase);
        w.Byte((byte)Math.Clamp(state.Update.Percent, 0, 100));
        w.Text(state.Update.Version, Short);
        w.Text(state.Update.Reason, Phrase);
        w.Span(state.IdentifyFor);
        w.Text(state.Address, Identity);
        w.Text(state.SshKey, Phrase);
        w.List(state.CommandKeys, PanelState.MostCommandKeys, "", (ref Writer to, string k) => to.Text(k, Short));
        w.List(state.SetupFaults, PanelState.MostSetupFaults, "", (ref Writer to, string f) => to.Text(f, Sentence));
        w.End();
    }

    static void Port(ref Writer w, PanelPort port)
    {
        w.Text(port.Interface, Interface);
        w.Byte((byte)port.Link);
        w.Flag(port.IsOpen);
        w.Int32(port.MegabitsPerSecond);
        w.Double(port.PacketsPerSecond);
        w.Double(port.BitsPerSecond);
        w.Int64(port.Lost);
        w.Double(port.LossShare);
        w.Text(port.Trouble, Sentence);
    }

    static void Spool(ref Writer w, PanelSpool spool)
    {
        w.Int64(spool.Rows);
        w.Int64(spool.Bytes);
        w.Int64(spool.MostBytes);
        w.MaybeSpan(spool.OldestAge);
        w.Flag(spool.IsFailing);
        w.Flag(spool.IsDiskFull);
        w.Int64(spool.Evicted);
    }

    static void Uplink(ref Writer w, PanelUplink uplink)
    {
        w.Text(uplink.Name, Name);
        w.Byte((byte)uplink.Phase);
        w.Int64(uplink.Waiting);
        w.MaybeSpan(uplink.SinceDelivery);
        w.Text(uplink.Trouble, Phrase);
    }

    static void Alert(ref Writer w, PanelAlert alert)
    {
        w.Int64(alert.Sequence);
        w.Byte((byte)Math.Clamp(alert.Severity, 0, 5));
        w.Text(alert.Threat, Phrase);
        w.Text(alert.Host, Name);
        w.Int64(alert.Stamp.ToUnixTimeMilliseconds());
        w.Flag(alert.IsAcknowledged);
    }

    static void Wrong(ref Writer w, Trouble trouble)
    {
        w.Byte((byte)trouble.Gravity);
        w.Text(trouble.Place, Interface);
        w.Text(trouble.What, Sentence);
        w.Text(trouble.Do, Sentence);
    }

    static void Box(ref Writer w, PanelBox box)
    {
        w.MaybeDouble(box.Celsius);
        w.MaybeDouble(box.CardYears);
        w.Int64(box.DiskFree);
        w.Int64(box.DiskSize);
        w.Flag(box.IsDiskReadOnly);
        w.Flag(box.IsUnderVoltage);
        w.Flag(box.IsThrottled);
    }

    /// <summary>Any bytes at all give a state or a fault. Who reads says itself whether there is a sensor: <see cref="PanelState.HasSensor"/> is true here.</summary>
    public static PanelFault TryRead(ReadOnlySpan<byte> message, out PanelState state)
    {
        state = PanelState.Nothing;
        if (message.Length != Length) return PanelFault.WrongLength;
        var r = new Reader(message);
        if (r.Header(Magic, Version) is var wrong and not PanelFault.None) return wrong;
        var read = new PanelState
        {
            HasSensor = true,
            Name = r.Text(Name),
            Site = r.Text(Short),
            SensorId = r.Text(Short),
            Version = r.Text(Short),
            Addresses = r.List(PanelState.MostAddresses, (ref Reader from) => from.Text(Address)),
            Now = r.Stamp(),
            Uptime = r.Span(),
            Clock = (PanelClock)r.Byte((byte)PanelClock.Synchronised),
            Ports = r.List(PanelState.MostPorts, Port),
            PacketsPerSecond = r.Double(),
            BitsPerSecond = r.Double(),
            Dropped = r.Int64(),
            Inputs = r.Int32(),
            Spool = Spool(ref r),
            Uplinks = r.List(PanelState.MostUplinks, Uplink),
            Fleet = new PanelFleet((PanelFleetPhase)r.Byte((byte)PanelFleetPhase.Refused), r.Text(Name), r.Text(Phrase)),
            Alerts = r.List(PanelState.MostAlerts, Alert),
            Unacknowledged = r.Int64(),
            WorstUnacknowledged = r.Byte(5),
            Health = (PanelHealth)r.Byte((byte)PanelHealth.Fault),
            Troubles = r.List(PanelState.MostTroubles, Wrong),
            TroubleCount = r.Int32(),
            Box = Box(ref r),
            Update = new PanelUpdate((PanelUpdatePhase)r.Byte((byte)PanelUpdatePhase.Refused), r.Byte(100), r.Text(Short), r.Text(Phrase)),
            IdentifyFor = r.Span(),
            Address = r.Text(Identity),
            SshKey = r.Text(Phrase),
            CommandKeys = r.List(PanelState.MostCommandKeys, (ref Reader from) => from.Text(Short)),
            SetupFaults = r.List(PanelState.MostSetupFaults, (ref Reader from) => from.Text(Sentence)),
        };
        if (r.Fault == PanelFault.None) state = read;
        return r.Fault;
    }

    static PanelPort Port(ref Reader r) => new(r.Text(Interface), (PanelLink)r.Byte((byte)PanelLink.Up), r.Flag())
    {
        MegabitsPerSecond = r.Int32(),
        PacketsPerSecond = r.Double(),
        BitsPerSecond = r.Double(),
        Lost = r.Int64(),
        LossShare = r.Double(),
        Trouble = r.Text(Sentence),
    };

    static PanelSpool Spool(ref Reader r) => new(r.Int64(), r.Int64(), r.Int64())
    {
        OldestAge = r.MaybeSpan(),
        IsFailing = r.Flag(),
        IsDiskFull = r.Flag(),
        Evicted = r.Int64(),
    };

    static PanelUplink Uplink(ref Reader r) => new(r.Text(Name), (PanelUplinkPhase)r.Byte((byte)PanelUplinkPhase.OutsideWindow))
    {
        Waiting = r.Int64(),
        SinceDelivery = r.MaybeSpan(),
        Trouble = r.Text(Phrase),
    };

    static PanelAlert Alert(ref Reader r) => new(r.Int64(), r.Byte(5), r.Text(Phrase), r.Text(Name), r.Stamp(), r.Flag());

    static Trouble Wrong(ref Reader r) => new((Gravity)r.Byte((byte)Gravity.Loss), r.Text(Interface), r.Text(Sentence), r.Text(Sentence));

    static PanelBox Box(ref Reader r) => new()
    {
        Celsius = r.MaybeDouble(),
        CardYears = r.MaybeDouble(),
        DiskFree = r.Int64(),
        DiskSize = r.Int64(),
        IsDiskReadOnly = r.Flag(),
        IsUnderVoltage = r.Flag(),
        IsThrottled = r.Flag(),
    };

    internal delegate void Put<T>(ref Writer to, T item);

    internal delegate T Get<T>(ref Reader from);

    /// <summary>Fills places one after the other.</summary>
    internal ref struct Writer(Span<byte> to)
    {
        const string Cut = "…";
        const int CutLength = 3;

        readonly Span<byte> _to = to;
        int _at;

        Span<byte> Take(int bytes)
        {
            Span<byte> place = _to.Slice(_at, bytes);
            _at += bytes;
            return place;
        }

        public void Header(ReadOnlySpan<byte> magic, ushort version)
        {
            magic.CopyTo(Take(magic.Length));
            BinaryPrimitives.WriteUInt16LittleEndian(Take(2), version);
            Take(2).Clear();
        }

        public void Byte(byte value) => Take(1)[0] = value;

        public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

        public void Int32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), Math.Max(0, value));

        public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), Math.Max(0, value));

        /// <summary>What is no finite number above zero goes as zero.</summary>
        public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value > 0 && double.IsFinite(value) ? value : 0);

        public void MaybeDouble(double? value)
        {
            bool has = value is { } v && double.IsFinite(v);
            Flag(has);
            // A thermometer may well be below zero.
            BinaryPrimitives.WriteDoubleLittleEndian(Take(8), has ? value!.Value : 0);
        }

        public void Span(TimeSpan value) => Int64((long)value.TotalMilliseconds);

        public void MaybeSpan(TimeSpan? value)
        {
            Flag(value is not null);
            Span(value ?? TimeSpan.Zero);
        }

        /// <summary>As many whole characters as fit; what was cut ends with an ellipsis.</summary>
        public void Text(string text, int width)
        {
            Span<byte> length = Take(1), place = Take(width);
            place.Clear();
            System.Text.Unicode.Utf8.FromUtf16(text, place, out int read, out int written);
            if (read < text.Length && width >= CutLength)
            {
                place.Clear();
                System.Text.Unicode.Utf8.FromUtf16(text, place[..(width - CutLength)], out _, out written);
                written += Encoding.UTF8.GetBytes(Cut, place[written..]);
            }
            length[0] = (byte)written;
        }

        public void List<T>(IReadOnlyList<T> items, int most, T nothing, Put<T> put)
        {
            int count = Math.Min(items.Count, most);
            Byte((byte)count);
            for (int i = 0; i < most; i++)
            {
                int begin = _at;
                put(ref this, i < count ? items[i] : nothing);
                if (i >= count) _to[begin.._at].Clear();
            }
        }

        public void End() => _to[_at..].Clear();

        public readonly int Written => _at;
    }

    /// <summary>Reads the places; the first fault stays, and what comes behind it is of no use. Never reads beyond the end, since all widths are fixed.</summary>
    internal ref struct Reader(ReadOnlySpan<byte> from)
    {
        /// <summary>The years that a stamp can name.</summary>
        const long LatestStamp = 253_402_300_799_999;
        /// <summary>A thousand years.</summary>
        const long LongestSpan = 1000L * 366 * 86_400_000;

        readonly ReadOnlySpan<byte> _from = from;
        int _at;

        public PanelFault Fault { get; private set; }

        ReadOnlySpan<byte> Take(int bytes)
        {
            ReadOnlySpan<byte> place = _from.Slice(_at, bytes);
            _at += bytes;
            return place;
        }

        void Wrong(PanelFault fault)
        {
            if (Fault == PanelFault.None) Fault = fault;
        }

        public PanelFault Header(ReadOnlySpan<byte> magic, ushort version)
        {
            if (!Take(magic.Length).SequenceEqual(magic)) return PanelFault.NotOurs;
            bool ours = BinaryPrimitives.ReadUInt16LittleEndian(Take(2)) == version;
            Take(2);
            return ours ? PanelFault.None : PanelFault.OtherVersion;
        }

        public byte Byte(byte most)
        {
            byte value = Take(1)[0];
            if (value <= most) return value;
            Wrong(PanelFault.BadNumber);
            return 0;
        }

        public bool Flag() => Byte(1) == 1;

        public int Int32() => (int)Bounded(BinaryPrimitives.ReadInt32LittleEndian(Take(4)), int.MaxValue);

        public long Int64() => Bounded(BinaryPrimitives.ReadInt64LittleEndian(Take(8)), long.MaxValue);

        long Bounded(long value, long most)
        {
            if (value >= 0 && value <= most) return value;
            Wrong(PanelFault.BadNumber);
            return 0;
        }

        public double Double()
        {
            double value = Finite();
            if (value >= 0) return value;
            Wrong(PanelFault.BadNumber);
            return 0;
        }

        double Finite()
        {
            double value = BinaryPrimitives.ReadDoubleLittleEndian(Take(8));
            if (double.IsFinite(value)) return value;
            Wrong(PanelFault.BadNumber);
            return 0;
        }

        public double? MaybeDouble()
        {
            bool has = Flag();
            double value = Finite();
            return has ? value : null;
        }

        public DateTimeOffset Stamp() => DateTimeOffset.FromUnixTimeMilliseconds(Bounded(BinaryPrimitives.ReadInt64LittleEndian(Take(8)), LatestStamp));

        public TimeSpan Span() => TimeSpan.FromMilliseconds(Bounded(BinaryPrimitives.ReadInt64LittleEndian(Take(8)), LongestSpan));

        public TimeSpan? MaybeSpan()
        {
            bool has = Flag();
            TimeSpan value = Span();
            return has ? value : null;
        }

        public string Text(int width)
        {
            int length = Take(1)[0];
            ReadOnlySpan<byte> place = Take(width);
            if (length <= width && System.Text.Unicode.Utf8.IsValid(place[..length])) return Encoding.UTF8.GetString(place[..length]);
            Wrong(PanelFault.BadText);
            return "";
        }

        public IReadOnlyList<T> List<T>(int most, Get<T> get)
        {
            int count = Take(1)[0];
            if (count > most)
            {
                Wrong(PanelFault.TooMany);
                count = 0;
            }
            List<T> items = new(count);
            for (int i = 0; i < most; i++)
            {
                // Places that are free are passed over, and not judged.
                PanelFault before = Fault;
                T item = get(ref this);
                if (i < count) items.Add(item);
                else Fault = before;
            }
            return items;
        }
    }
}
