using Nfr.Update;

namespace Nfr.Tests.Update;

/// <summary>The power went.</summary>
sealed class PowerCutException : Exception;

/// <summary>
/// A box in memory: two slots on a card that keeps what was synced and, of the rest, whatever it likes; a record; a boot choice as the image's script makes it. Every write, sync and call is an operation, and the power can go
/// before any of them.
/// </summary>
sealed class SimulatedBox : UpdateBox
{
    const int Sector = 512;

    readonly Dictionary<string, Card> _cards = [];
    readonly Random _random;
    byte[]? _record;
    char _booted = 'a', _lasting = 'a';
    bool _armed;
    int _boots;

    public SimulatedBox(byte[] boot, byte[] root, ApplianceImage image, int seed = 1)
    {
        (_random, Running) = (new Random(seed), image);
        foreach (char slot in "ab")
        {
            _cards[$"{slot}boot"] = new Card(boot);
            _cards[$"{slot}root"] = new Card(root);
        }
    }

    /// <summary>Operations so far.</summary>
    public int Operations { get; private set; }
    /// <summary>The power goes instead of this operation; -1 = never.</summary>
    public int CutAt { get; set; } = -1;
    /// <summary>Syncs do nothing: a card that lies.</summary>
    public bool Lies { get; init; }
    /// <summary>Reads give back something else: a card that dies.</summary>
    public bool Forgets { get; init; }
    /// <summary>So many of the next calls about slots fail: the FAT partition is in other hands.</summary>
    public int Busy { get; set; }
    /// <summary>The data partition takes nothing.</summary>
    public bool IsDataFull { get; set; }
    public int Rebooted { get; private set; }
    public bool Armed => _armed;
    public ApplianceImage Running { get; set; }

    public override ApplianceImage Image => Running;
    public override char Booted => _booted;
    public override char Lasting
    {
        get
        {
            Asked();
            return _lasting;
        }
    }

    public override string BootId => $"boot-{_boots}";

    void Asked()
    {
        if (Busy-- > 0) throw new UpdateException("the FAT partition is used by another program for 20 s now");
    }

    void Operation()
    {
        if (Operations++ == CutAt) throw new PowerCutException();
    }

    public override void Try()
    {
        Operation();
        _armed = true;
    }

    public override void Cancel()
    {
        Operation();
        _armed = false;
    }

    public override void Good()
    {
        Asked();
        Operation();
        (_lasting, _armed) = (_booted, false);
    }

    public override void Reboot()
    {
        Operation();
        Rebooted++;
    }

    public override UpdateRecord? ReadRecord() => _record is null ? null : UpdateRecord.Read(_record);

    public override void WriteRecord(UpdateRecord record)
    {
        Operation();
        if (IsDataFull) throw new UpdateException("record.json cannot be written: No space left on device");
        _record = record.Write();
    }

    public List<string> Logged { get; } = [];
    byte[]? _refusal;

    // What is told is no operation: nothing depends on it, and a power cut there leaves what a power cut before it left.
    public override void Log(string sentence) => Logged.Add(sentence);

    public override UpdateRecord? ReadRefusal() => _refusal is null ? null : UpdateRecord.Read(_refusal);

    public override void WriteRefusal(UpdateRecord? refusal) => _refusal = refusal?.Write();

    public override SlotDevice Open(string partition) => new Device(this, _cards[Idle + partition], Idle + partition);

    /// <summary>Power off, and on: of what was not synced each sector is there or not, and the one under the pen may be neither.</summary>
    public void Boot(Func<ApplianceImage, char, ApplianceImage>? known = null)
    {
        foreach (Card card in _cards.Values) card.Settle(_random);
        CutAt = -1;
        _boots++;
        _booted = _armed ? (_lasting == 'a' ? 'b' : 'a') : _lasting;
        // One attempt.
        _armed = false;
        if (known is not null) Running = known(Running, _booted);
    }

    public (byte[] Boot, byte[] Root) Slot(char slot) => (_cards[slot + "boot"].Now(), _cards[slot + "root"].Now());

    sealed class Card(byte[] content)
    {
        readonly List<(long At, byte[] Bytes)> _pending = [];
        readonly byte[] _synced = (byte[])content.Clone();

        public long Length => _synced.Length;

        public void Write(long at, ReadOnlySpan<byte> bytes)
        {
            if (at + bytes.Length > _synced.Length) throw new IOException("No space left on device");
            _pending.Add((at, bytes.ToArray()));
        }

        public void Sync()
        {
            foreach ((long at, byte[] bytes) in _pending) bytes.CopyTo(_synced, at);
            _pending.Clear();
        }

        public void Read(int offset, Span<byte> into)
        {
            // All was synced before it is read back, but for a card that lies.
            byte[] from = _pending.Count == 0 ? _synced : Now();
            from.AsSpan(offset, into.Length).CopyTo(into);
        }

        public byte[] Now()
        {
            byte[] now = (byte[])_synced.Clone();
            foreach ((long at, byte[] bytes) in _pending) bytes.CopyTo(now, at);
            return now;
        }

        public void Settle(Random random)
        {
            foreach ((long at, byte[] bytes) in _pending)
            {
                for (int i = 0; i < bytes.Length; i += Sector)
                {
                    int length = Math.Min(Sector, bytes.Length - i);
                    switch (random.Next(5))
                    {
                        case < 2: bytes.AsSpan(i, length).CopyTo(_synced.AsSpan((int)at + i)); break;
                        case 2: random.NextBytes(_synced.AsSpan((int)at + i, length)); break;
                        default: break;
                    }
                }
            }
            _pending.Clear();
        }
    }

    sealed class Device(SimulatedBox box, Card card, string name) : SlotDevice
    {
        public override string Name => "/dev/" + name;
        public override long Length => card.Length;

        public override void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            // The power may go in the middle of a write too: then the card has been told of all of it and has done some.
            if (box.Operations == box.CutAt) card.Write(offset, bytes);
            box.Operation();
            card.Write(offset, bytes);
        }

        public override void Sync()
        {
            box.Operation();
            if (!box.Lies) card.Sync();
        }

        public override void Read(long offset, Span<byte> into)
        {
            card.Read((int)offset, into);
            if (box.Forgets) into[^1] ^= 1;
        }
    }
}
