using System.Numerics;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Keys that someone chose so that they would meet in one place of a table, had its hash no secret that counts.</summary>
public sealed class ChosenKeysTests
{
    static string Text(ulong high, ulong low) => new Address(high, low).ToString();

    [Fact]
    public void Pairs_of_addresses_whose_words_cancel_are_not_one_chain_of_dns_queries()
    {
        const int Queries = 8000;
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 65_536 });
        var random = new Random(1);
        byte[] query = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, (byte)'a', 0, 0, 1, 0, 1];
        for (int i = 0; i < Queries; i++)
        {
            ulong server = 0x2001_0DB8_0000_0000UL | (uint)random.Next();
            ulong client = BitOperations.RotateLeft(server, 23) ^ 0x2A00_0000_0000_0000UL;
            bed.Ip(Frames.Ip(Text(client, 1), Text(server, 1), IPProtocol.Udp, Frames.Udp(5555, 53, query)));
        }
        Assert.InRange(bed.Decoder.DnsSteps, 0, Queries);
        bed.Drain();
    }

    [Fact]
    public void Addresses_that_differ_in_their_top_bits_have_hashes_of_their_own()
    {
        var table = new FlowTable(1024);
        var server = new Address(0x2001_0DB8_0000_0000, 7);
        var hashes = new HashSet<uint>();
        for (ulong high = 0; high < 256; high++)
        {
            for (ulong low = 0; low < 256; low++) hashes.Add(table.Hash(new Address(0x2001_0DB8_0000_0000 ^ (high << 56), 5 ^ (low << 56)), 1000, server, 2000, 17));
        }
        // Of 65,536 values of 32 bits about one pair is equal by chance.
        Assert.InRange(hashes.Count, 65_500, 65_536);
    }

    [Fact]
    public void An_address_cannot_make_up_for_a_port_nor_a_scope_for_a_protocol()
    {
        var table = new FlowTable(1024);
        var server = new Address(0x2001_0DB8_0000_0000, 7);
        var hashes = new HashSet<uint>();
        for (int shift = 0; shift <= 48; shift += 8)
        {
            for (ulong port = 0; port < 8192; port++) hashes.Add(table.Hash(new Address(1, 5 ^ (port << shift)), (ushort)port, server, 2000, 17));
        }
        for (uint scope = 0; scope < 8192; scope++) hashes.Add(table.Hash(new Address(2, 5), 1, server, 2000, (byte)(scope & 255), scope >> 8));
        Assert.InRange(hashes.Count, (8 * 8192) - 40, 8 * 8192);
    }

    [Theory]
    [InlineData(4000)]
    [InlineData(4001)]
    [InlineData(4007)]
    public void Copies_of_datagrams_without_numbers_are_looked_at_by_share_in_every_flow(int port)
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 4000; i++)
        {
            byte[] packet = Frames.Ip("10.0.0.1", "192.0.2.1", IPProtocol.Udp, Frames.Udp(port, 51_820, new byte[32 + (i % 900)]));
            bed.Ip(packet);
            bed.Ip(packet);
        }
        // One in eight of 8,000; 900 lengths choose.
        Assert.InRange(bed.Counters.DuplicatesLookedAt, 400, 1800);
        bed.Drain();
    }
}
