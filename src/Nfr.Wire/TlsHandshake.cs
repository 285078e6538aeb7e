using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>HandshakeType, RFC 8446 B.3, RFC 5246 7.4; the values that matter here.</summary>
public enum TlsHandshakeType : byte
{
    HelloRequest = 0,
    ClientHello = 1,
    ServerHello = 2,
    /// <summary>DTLS only, RFC 6347 4.2.1.</summary>
    HelloVerifyRequest = 3,
    NewSessionTicket = 4,
    EncryptedExtensions = 8,
    Certificate = 11,
    ServerKeyExchange = 12,
    CertificateRequest = 13,
    ServerHelloDone = 14,
    CertificateVerify = 15,
    ClientKeyExchange = 16,
    Finished = 20,
    CertificateStatus = 22,
}

/// <summary>RFC 8446 4, RFC 5246 7.4: type and 24-bit length in front of a handshake message.</summary>
public readonly ref struct TlsHandshakeHeader
{
    public const int HeaderLength = 4;

    readonly ReadOnlySpan<byte> _bytes;
    TlsHandshakeHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public TlsHandshakeType Type => (TlsHandshakeType)_bytes[0];
    /// <summary>Bytes of the body that follows.</summary>
    public int Length => (_bytes[1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    /// <summary>False while fewer than four bytes are there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out TlsHandshakeHeader header)
    {
        header = bytes.Length < HeaderLength ? default : new TlsHandshakeHeader(bytes[..HeaderLength]);
        return bytes.Length >= HeaderLength;
    }
}

/// <summary>
/// Walks the handshake messages in one direction of a stream, from a record boundary on. A message within one record is handed out in
/// place; one that spans records is put together in the caller's scratch buffer, whose length is therefore the limit for such a message
/// (TlsHandshakeTooLong beyond it). It keeps nothing between walks: when more bytes have come, walk again.
/// </summary>
public ref struct TlsHandshakeReader(ReadOnlySpan<byte> stream, Span<byte> scratch)
{
    readonly Span<byte> _scratch = scratch;
    // The stream after the current record, and what is left of that record's fragment.
    ReadOnlySpan<byte> _stream = stream;
    ReadOnlySpan<byte> _fragment;
    readonly int _length = stream.Length;
    bool _isWhole;

    public TlsHandshakeType Type { get; private set; }
    /// <summary>The current message without its header; valid until the next <see cref="MoveNext"/>.</summary>
    public ReadOnlySpan<byte> Body { get; private set; }
    public DecodeFault Fault { get; private set; }

    /// <summary>Bytes of the stream up to the end of the current record when its last message has been handed out; else 0.</summary>
    public readonly int ConsumedRecords => _fragment.IsEmpty && _isWhole ? _length - _stream.Length : 0;

    /// <summary>
    /// Complete: <see cref="Type"/> and <see cref="Body"/> are the next message. NeedMore: the stream ends before the message does.
    /// End: a record that is not of the handshake follows (what comes after ChangeCipherSpec is encrypted). Invalid: <see cref="Fault"/>.
    /// </summary>
    public ReadState MoveNext()
    {
        ReadState state;
        while (_fragment.IsEmpty)
        {
            state = NextRecord();
            if (state != ReadState.Complete) return state;
        }
        if (TlsHandshakeHeader.TryRead(_fragment, out TlsHandshakeHeader header)
            && header.Length <= _fragment.Length - TlsHandshakeHeader.HeaderLength)
        {
            int end = TlsHandshakeHeader.HeaderLength + header.Length;
            Type = header.Type;
            Body = _fragment[TlsHandshakeHeader.HeaderLength..end];
            _fragment = _fragment[end..];
            return ReadState.Complete;
        }
        return Gather();
    }

    ReadState Gather()
    {
        int gathered = 0, wanted = TlsHandshakeHeader.HeaderLength;
        while (true)
        {
            int take = Math.Min(wanted - gathered, _fragment.Length);
            if (take > _scratch.Length - gathered) return Refuse(DecodeFault.TlsHandshakeTooLong);
            _fragment[..take].CopyTo(_scratch[gathered..]);
            _fragment = _fragment[take..];
            gathered += take;
            if (gathered == wanted)
            {
                // Four bytes are there, so this cannot fail; the body's length is known from now on.
                _ = TlsHandshakeHeader.TryRead(_scratch, out TlsHandshakeHeader header);
                wanted = TlsHandshakeHeader.HeaderLength + header.Length;
                if (wanted > _scratch.Length) return Refuse(DecodeFault.TlsHandshakeTooLong);
                if (gathered == wanted)
                {
                    Type = header.Type;
                    Body = _scratch[TlsHandshakeHeader.HeaderLength..wanted];
                    return ReadState.Complete;
                }
            }
            if (!_fragment.IsEmpty) continue;
            ReadState state = NextRecord();
            if (state == ReadState.End) return Refuse(DecodeFault.TlsHelloTruncated);
            if (state != ReadState.Complete) return state;
        }
    }

    ReadState NextRecord()
    {
        ReadState state = TlsRecord.TryRead(_stream, out TlsRecord record, out DecodeFault fault);
        if (state == ReadState.Invalid) return Refuse(fault);
        if (state != ReadState.Complete) return state;
        if (record.ContentType != TlsContentType.Handshake) return ReadState.End;
        // A part of a record gives the messages that are whole in it: a long certificate chain need not keep back the ServerHello.
        _fragment = record.Fragment;
        _isWhole = record.IsWhole;
        _stream = record.IsWhole ? _stream[(TlsRecord.HeaderLength + record.Length)..] : default;
        return _fragment.IsEmpty && !record.IsWhole ? ReadState.NeedMore : ReadState.Complete;
    }

    ReadState Refuse(DecodeFault fault)
    {
        Fault = fault;
        _stream = _fragment = default;
        return ReadState.Invalid;
    }
}
