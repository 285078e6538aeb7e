using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

public sealed class IpPrefixTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("255.255.255.255/32", "255.255.255.255/32")]
    [InlineData("1.2.3.4/0", "0.0.0.0/0")]
    [InlineData("fc00::/7", "fc00::/7")]
    [InlineData("fdff:1::/7", "fc00::/7")]
    [InlineData("2001:db8:0:ffff::1/65", "2001:db8:0:ffff::/65")]
    [InlineData("::/0", "::/0")]
    [InlineData("::1/128", "::1/128")]
    [InlineData("::ffff:10.9.9.9/104", "10.0.0.0/8")]
    public void A_prefix_is_read_and_its_host_bits_are_cleared(string text, string expected)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix));
        Assert.Equal(expected, prefix.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.1")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/+8")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0/8")]
    [InlineData("fc00::/129")]
    [InlineData("fc00::/1000")]
    [InlineData("/8")]
    [InlineData("a/8")]
    [InlineData(" 10.0.0.0/8")]
    public void Text_that_is_no_prefix_is_refused(string text) => Assert.False(IpPrefix.TryParse(text, out _));

    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("0.0.0.0/0", "255.255.255.255", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "10.0.0.1", false)]
    [InlineData("fe80::/10", "febf::1", true)]
    [InlineData("fe80::/10", "fec0::1", false)]
    public void Containing_keeps_to_the_family(string prefix, string address, bool expected) =>
        Assert.Equal(expected, IpPrefix.Parse(prefix).Contains(Make.Ip(address)));

    [Fact]
    public void The_table_finds_what_a_scan_of_all_prefixes_finds()
    {
        var random = new Random(7);
        for (int round = 0; round < 40; round++)
        {
            int bits = round < 20 ? 8 : 150;
            var entries = new List<(IpPrefix Prefix, int Bit)>();
            for (int i = random.Next(60); i >= 0; i--) entries.Add((RandomPrefix(random), random.Next(bits)));
            if (random.Next(3) == 0) entries.Add((IpPrefix.Parse("::/0"), 0));
            if (random.Next(3) == 0) entries.Add((IpPrefix.Parse("0.0.0.0/0"), 1));
            var table = new PrefixTable(entries, bits);
            for (int i = 0; i < 500; i++)
            {
                Address address = entries.Count > 0 && random.Next(2) == 0 ? Near(random, entries[random.Next(entries.Count)].Prefix) : RandomAddress(random);
                var expected = new ulong[table.WordsPerSet];
                foreach ((IpPrefix prefix, int bit) in entries)
                {
                    if (prefix.Contains(address)) expected[bit / 64] |= 1UL << (bit % 64);
                }
                Assert.True(table.Find(address).SequenceEqual(expected), address.ToString());
            }
        }
    }

    [Fact]
    public void The_last_address_of_all_belongs_to_its_prefix()
    {
        var table = new PrefixTable([(IpPrefix.Parse("ffff:ffff:ffff:ffff::/64"), 3)], 4);
        Assert.True(table.Contains(new Address(ulong.MaxValue, ulong.MaxValue), 3));
        Assert.False(table.Contains(new Address(ulong.MaxValue - 1, ulong.MaxValue), 3));
    }

    /// <summary>From a small space, so that prefixes nest and repeat.</summary>
    internal static IpPrefix RandomPrefix(Random random) =>
        random.Next(2) == 0 ? IpPrefix.Of(RandomV4(random), random.Next(33)) : IpPrefix.Of(RandomV6(random), random.Next(129));

    internal static Address RandomAddress(Random random) => random.Next(2) == 0 ? RandomV4(random) : RandomV6(random);

    /// <summary>The edges of a prefix and their neighbours.</summary>
    internal static Address Near(Random random, IpPrefix prefix)
    {
        Address edge = random.Next(2) == 0 ? prefix.First : prefix.Last;
        return random.Next(3) switch
        {
            0 => edge,
            1 => new Address(edge.Low == ulong.MaxValue ? edge.High + 1 : edge.High, edge.Low + 1),
            _ => new Address(edge.Low == 0 ? edge.High - 1 : edge.High, edge.Low - 1),
        };
    }

    static Address RandomV4(Random random) =>
        Address.FromV4((uint)(random.Next(3) switch { 0 => 10, 1 => 192, _ => 11 } << 24 | random.Next(3) << 16 | random.Next(3) << 8 | random.Next(4)));

    static Address RandomV6(Random random) =>
        new((ulong)(random.Next(3) switch { 0 => 0x2001, 1 => 0xfc00, _ => 0 }) << 48 | (uint)random.Next(3), (ulong)random.Next(3) << 62 | (uint)random.Next(4));
}
