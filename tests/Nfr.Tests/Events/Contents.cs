using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>What applications put on the wire, for the tests of this folder.</summary>
static class Contents
{
    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(p => p)];

    public static byte[] DnsName(string name) =>
        name.Length == 0 ? [0] : [.. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Bytes.Ascii(label)]), 0];

    public static byte[] Query(int id, string name, int type = 1, int flags = 0x0100) =>
        [(byte)(id >> 8), (byte)id, (byte)(flags >> 8), (byte)flags, 0, 1, 0, 0, 0, 0, 0, 0, .. DnsName(name), (byte)(type >> 8), (byte)type, 0, 1];

    /// <summary>An answer with one A record.</summary>
    public static byte[] Answer(int id, string name, string address = "192.0.2.7", int code = 0)
    {
        byte[] message = Query(id, name, 1, 0x8180 | code);
        if (code != 0) return message;
        message[7] = 1;
        byte[] four = new byte[4];
        Make.Ip(address).WriteBytes(four);
        return [.. message, 0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, .. four];
    }

    /// <summary>RFC 1035 4.2.2: the message with its length in front.</summary>
    public static byte[] OverTcp(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    public static byte[] Record(byte type, byte[] fragment) => [type, 3, 3, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];

    public static byte[] Handshake(byte type, byte[] body) => [type, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

    public static readonly byte[] ClientHello = Record(22, Handshake(1, TlsHelloTests.Client));

    /// <summary>TLS 1.3: what follows the hello is encrypted.</summary>
    public static readonly byte[] ServerHello13 = Join(Record(22, Handshake(2, TlsHelloTests.Server)), Record(20, [1]), Record(23, new byte[600]));

    static readonly byte[] s_server12 = Bytes.Of("0303" + new string('1', 64) + "00 c02b 00");

    public static readonly byte[] ServerFlight12 = Join(
        Record(22, Handshake(2, s_server12)), Record(22, CertificateMessage(X509LeafTests.Sample)), Record(22, Handshake(14, [])));

    /// <summary>A resumed session: ChangeCipherSpec follows the hello at once.</summary>
    public static readonly byte[] Resumed12 = Join(Record(22, Handshake(2, s_server12)), Record(20, [1]), Record(22, new byte[40]));

    /// <summary>RFC 8446 4.1.3: the random value that makes a ServerHello a HelloRetryRequest.</summary>
    public static readonly byte[] RetryRequest = Record(22, Handshake(2, Bytes.Of("""
        0303 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c
        00 1301 00
        000c 002b 0002 0304 0033 0002 001d
        """)));

    /// <summary>SSL 2.0 framing around a hello for TLS 1.0 (RFC 5246 E.2).</summary>
    public static readonly byte[] SslV2Hello = Bytes.Of("802b 01 0301 0012 0000 0010 000004 010080 00000a 030080 00002f 0000ff 000102030405060708090a0b0c0d0e0f");

    public static byte[] CertificateMessage(byte[] certificate)
    {
        byte[] entry = [0, (byte)(certificate.Length >> 8), (byte)certificate.Length, .. certificate];
        return Handshake(11, [0, (byte)(entry.Length >> 8), (byte)entry.Length, .. entry]);
    }

    /// <summary>The same handshake bytes in records of <paramref name="size"/> bytes.</summary>
    public static byte[] Recut(byte[] record, int size) => Join([.. record[5..].Chunk(size).Select(part => Record(22, part))]);
}
