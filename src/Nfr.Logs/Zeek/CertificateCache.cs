using Nfr.Events;

namespace Nfr.Logs;

/// <summary>A certificate as Zeek's logs tell of it. Texts are borrowed; empty = not said.</summary>
public ref struct CertificateText
{
    public ReadOnlySpan<byte> Subject;
    public ReadOnlySpan<byte> Issuer;
    /// <summary>DNS names, joined by commas.</summary>
    public ReadOnlySpan<byte> SubjectAltNames;
    /// <summary>40 hex digits.</summary>
    public ReadOnlySpan<byte> Sha1;
    /// <summary>Seconds since 1970; <see cref="TlsEvent.NoTime"/> when not said.</summary>
    public long ValidFrom;
    public long ValidTo;
}

/// <summary>
/// Certificates of Zeek's x509 logs by what its ssl logs call them: a file's number (up to 4.0) or a fingerprint. 4,096 of them, of 1 KiB each at most, in memory only as
/// far as they are used (4.3 MiB); the one told of longest ago goes. For any thread.
/// </summary>
/// <remarks>
/// An ssl line takes the certificate that is here when the line is read, and goes out without one otherwise; it never waits. Zeek writes a certificate
/// before the handshake that it came in ends, and since 4.1 once a day only. So who reads files reads those of x509 (and files) first, each time as far as they go, and
/// at a start from their beginning.
/// </remarks>
public sealed class CertificateCache
{
    public const int DefaultCapacity = 4096;
    /// <summary>Of one certificate's texts with its name; what is longer is cut, alternative names first.</summary>
    const int MaxLength = 1024;
    /// <summary>A name in the logs: SHA-256 and SHA-512 in hex, or a file's number.</summary>
    const int MaxKey = 128;
    const int Sha1Length = 40;

    struct Entry
    {
        public int Hash;
        /// <summary>The next of the same bucket; -1 = none.</summary>
        public int Next;
        public ushort Key, Subject, Issuer, Names, Sha1;
        public long ValidFrom, ValidTo;
    }

    readonly Lock _lock = new();
    readonly Entry[] _entries;
    readonly byte[]?[] _texts;
    readonly int[] _buckets;
    int _count, _oldest;

    public CertificateCache(int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _entries = new Entry[capacity];
        _texts = new byte[capacity][];
        _buckets = new int[capacity];
        Array.Fill(_buckets, -1);
    }

    public int Count => _count;

    /// <summary>Keeps what is said of a certificate; a digest that was said before stays when none is said now.</summary>
    public void Put(ReadOnlySpan<byte> key, in CertificateText certificate)
    {
        if (key.Length is 0 or > MaxKey) return;
        lock (_lock)
        {
            int hash = HashOf(key);
            int i = Find(hash, key);
            Span<byte> sha1 = stackalloc byte[Sha1Length];
            int sha1Length = Math.Min(certificate.Sha1.Length, Sha1Length);
            certificate.Sha1[..sha1Length].CopyTo(sha1);
            if (i >= 0 && sha1Length == 0) sha1Length = CopySha1(i, sha1);
            if (i < 0) i = Add(hash);
            ref Entry e = ref _entries[i];
            Span<byte> to = _texts[i] ??= new byte[MaxLength];
            e.Key = Append(ref to, key);
            e.Sha1 = Append(ref to, sha1[..sha1Length]);
            e.Subject = Append(ref to, Cut(certificate.Subject, to.Length));
            e.Issuer = Append(ref to, Cut(certificate.Issuer, to.Length));
            e.Names = Append(ref to, CutNames(certificate.SubjectAltNames, to.Length));
            (e.ValidFrom, e.ValidTo) = (certificate.ValidFrom, certificate.ValidTo);
        }
    }

    /// <summary>The SHA-1 of a certificate, which an older Zeek says in files.log.</summary>
    public void PutSha1(ReadOnlySpan<byte> key, ReadOnlySpan<byte> sha1)
    {
        Span<byte> room = stackalloc byte[MaxLength];
        lock (_lock)
        {
            if (!TryGet(key, room, out CertificateText certificate)) certificate = new CertificateText { ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
            certificate.Sha1 = sha1;
            Put(key, certificate);
        }
    }

    /// <param name="key">As the ssl log calls it.</param>
    /// <param name="room">1 KiB for the texts.</param>
    /// <param name="certificate">Its texts lie in <paramref name="room"/>.</param>
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> room, out CertificateText certificate)
    {
        certificate = default;
        if (key.Length is 0 or > MaxKey) return false;
        lock (_lock)
        {
            int i = Find(HashOf(key), key);
            if (i < 0) return false;
            ref Entry e = ref _entries[i];
            int length = e.Key + e.Sha1 + e.Subject + e.Issuer + e.Names;
            _texts[i].AsSpan(0, length).CopyTo(room);
            ReadOnlySpan<byte> text = room[e.Key..length];
            certificate.Sha1 = Take(ref text, e.Sha1);
            certificate.Subject = Take(ref text, e.Subject);
            certificate.Issuer = Take(ref text, e.Issuer);
            certificate.SubjectAltNames = Take(ref text, e.Names);
            (certificate.ValidFrom, certificate.ValidTo) = (e.ValidFrom, e.ValidTo);
            return true;
        }
    }

    static int HashOf(ReadOnlySpan<byte> key)
    {
        var hash = default(HashCode);
        hash.AddBytes(key);
        return hash.ToHashCode() & int.MaxValue;
    }

    int Find(int hash, ReadOnlySpan<byte> key)
    {
        int i = _buckets[hash % _buckets.Length];
        while (i >= 0 && !(_entries[i].Hash == hash && _texts[i].AsSpan(0, _entries[i].Key).SequenceEqual(key))) i = _entries[i].Next;
        return i;
    }

    int CopySha1(int i, Span<byte> sha1)
    {
        _texts[i].AsSpan(_entries[i].Key, _entries[i].Sha1).CopyTo(sha1);
        return _entries[i].Sha1;
    }

    int Add(int hash)
    {
        int i;
        if (_count < _entries.Length) i = _count++;
        else
        {
            i = _oldest;
            _oldest = (_oldest + 1) % _entries.Length;
            ref int link = ref _buckets[_entries[i].Hash % _buckets.Length];
            while (link != i) link = ref _entries[link].Next;
            link = _entries[i].Next;
        }
        ref int bucket = ref _buckets[hash % _buckets.Length];
        (_entries[i].Hash, _entries[i].Next) = (hash, bucket);
        bucket = i;
        return i;
    }

    static ushort Append(ref Span<byte> to, scoped ReadOnlySpan<byte> text)
    {
        text.CopyTo(to);
        to = to[text.Length..];
        return (ushort)text.Length;
    }

    static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text, int room) => text.Length <= room ? text : text[..room];

    /// <summary>At a name's end.</summary>
    static ReadOnlySpan<byte> CutNames(ReadOnlySpan<byte> names, int room)
    {
        if (names.Length <= room) return names;
        int end = room > 0 ? names[..room].LastIndexOf((byte)',') : -1;
        return end < 0 ? default : names[..end];
    }

    static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> text, int length)
    {
        ReadOnlySpan<byte> taken = text[..length];
        text = text[length..];
        return taken;
    }
}
