using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class AddressTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.168.1.254")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1::1")]
    [InlineData("fe80::")]
    [InlineData("1:2:3:4:5:6:7:8")]
    public void Text_of_an_address_reads_back(string text)
    {
        Assert.True(Address.TryParse(text, out Address address));
        Assert.Equal(text, address.ToString());
        Assert.Equal(System.Net.IPAddress.Parse(text), address.ToIPAddress());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1..2.3")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("2001:db8::g")]
    public void Text_that_is_no_address_is_refused(string text) => Assert.False(Address.TryParse(text, out _));

    [Fact]
    public void A_random_address_formats_as_the_platform_does()
    {
        var random = new Random(1);
        Span<byte> bytes = stackalloc byte[16];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            for (int j = 0; j < 8; j++)
            {
                if (random.Next(2) == 0) bytes.Slice(j * 2, 2).Clear();
            }
            Address address = Address.ReadV6(bytes);
            if (address.IsV4) continue;
            var platform = new System.Net.IPAddress(bytes);
            // The platform writes some embedded IPv4 forms dotted; RFC 5952 leaves that to known prefixes.
            if (platform.ToString().Contains('.', StringComparison.Ordinal)) continue;
            Assert.Equal(platform.ToString(), address.ToString());
        }
    }
}
