using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class SpecialAddressesTests
{
    [Theory]
    // Ordinary space that the list of RFC 3330 took for special.
    [InlineData("14.1.1.1", true)]
    [InlineData("24.1.1.1", true)]
    [InlineData("39.1.1.1", true)]
    [InlineData("128.0.1.1", true)]
    [InlineData("191.255.1.1", true)]
    [InlineData("223.255.255.1", true)]
    [InlineData("8.8.8.8", true)]
    [InlineData("192.0.0.9", true)]
    [InlineData("192.31.196.1", true)]
    [InlineData("0.1.2.3", false)]
    [InlineData("10.1.1.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("100.128.0.1", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.0", true)]
    [InlineData("192.0.0.1", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("192.88.99.1", false)]
    [InlineData("192.168.0.1", false)]
    [InlineData("198.19.255.255", false)]
    [InlineData("198.20.0.0", true)]
    [InlineData("198.51.100.1", false)]
    [InlineData("203.0.113.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("240.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("2606:4700::1", true)]
    [InlineData("64:ff9b::808:808", true)]
    [InlineData("64:ff9b:1::1", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("100::1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2001:1::1", true)]
    [InlineData("2001:2::1", false)]
    [InlineData("2001:3::1", true)]
    [InlineData("2001:20::1", true)]
    [InlineData("2001:200::1", true)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2002::1", false)]
    [InlineData("3fff::1", false)]
    [InlineData("3fff:1000::1", true)]
    [InlineData("4000::1", false)]
    [InlineData("5f00::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("ff02::1", false)]
    public void Global_is_what_the_registries_say(string address, bool expected) => Assert.Equal(expected, SpecialAddresses.IsGlobal(Make.Ip(address)));

    [Fact]
    public void Each_kind_begins_and_ends_where_its_rfc_says()
    {
        Assert.True(SpecialAddresses.IsPrivate(Make.Ip("fdff::1")));
        Assert.True(SpecialAddresses.IsPrivate(Make.Ip("172.16.0.0")));
        Assert.False(SpecialAddresses.IsPrivate(Make.Ip("169.254.0.1")));
        Assert.True(SpecialAddresses.IsLinkLocal(Make.Ip("169.254.0.1")));
        Assert.True(SpecialAddresses.IsLinkLocal(Make.Ip("febf::1")));
        Assert.False(SpecialAddresses.IsLinkLocal(Make.Ip("fec0::1")));
        Assert.True(SpecialAddresses.IsLoopback(Make.Ip("127.255.255.255")));
        Assert.True(SpecialAddresses.IsLoopback(Make.Ip("::1")));
        Assert.False(SpecialAddresses.IsLoopback(Make.Ip("::2")));
        Assert.True(SpecialAddresses.IsMulticast(Make.Ip("239.255.255.255")));
        Assert.True(SpecialAddresses.IsMulticast(Make.Ip("ff02::fb")));
        Assert.False(SpecialAddresses.IsMulticast(Make.Ip("255.255.255.255")));
        Assert.True(SpecialAddresses.IsBroadcastOrMulticast(Make.Ip("255.255.255.255")));
        Assert.True(SpecialAddresses.IsBroadcastOrMulticast(Make.Ip("224.0.0.251")));
        Assert.False(SpecialAddresses.IsBroadcastOrMulticast(Make.Ip("10.255.255.255")));
    }
}
