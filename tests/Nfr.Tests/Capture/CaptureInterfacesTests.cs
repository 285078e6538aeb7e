using System.Net;
using Nfr.Capture;
using Nfr.Native;
using Nfr.Wire;

namespace Nfr.Tests.Capture;

public sealed class CaptureInterfacesTests
{
    static readonly CaptureInterface Loopback = new() { Name = "lo", Index = 1, IsUp = true, IsLoopback = true, HasAddress = true, HardwareType = 772 };
    static readonly CaptureInterface Office = new() { Name = "eth0", Index = 2, IsUp = true, HasAddress = true };
    static readonly CaptureInterface Mirror = new() { Name = "eth1", Index = 3, IsUp = true };
    static readonly CaptureInterface Spare = new() { Name = "eth2", Index = 4 };
    static readonly CaptureInterface CanBus = new() { Name = "can0", Index = 5, IsUp = true, HardwareType = 280 };

    static string Chosen(IReadOnlyList<CaptureInterface> present, params string[] configured)
    {
        bool good = CaptureInterfaces.Choose(present, configured, out IReadOnlyList<string> chosen, out string? error);
        Assert.Equal(good, error is null);
        return error ?? string.Join(',', chosen);
    }

    [Fact]
    public void Nothing_configured_takes_the_first_up_interface_without_an_address() =>
        Assert.Equal("eth1", Chosen([Loopback, Office, Spare, CanBus, Mirror]));

    [Fact]
    public void With_addresses_on_all_it_takes_the_first_up_one_that_is_not_loopback() =>
        Assert.Equal("eth0", Chosen([Loopback, Spare, Office, Mirror with { HasAddress = true }]));

    [Fact]
    public void With_nothing_up_it_says_what_there_is() =>
        Assert.Equal("capture: no interface is up to listen on; interfaces here: eth2, lo", Chosen([Loopback, Spare]));

    [Fact]
    public void A_list_is_taken_in_its_order_and_once_each() => Assert.Equal("eth1,lo", Chosen([Loopback, Office, Mirror], "eth1", "lo", "eth1"));

    [Fact]
    public void A_name_that_is_not_there_is_answered_with_those_that_are() =>
        Assert.Equal("capture: interface eth9 does not exist; interfaces here: eth0, lo", Chosen([Loopback, Office], "eth0", "eth9"));

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../../etc/x")]
    [InlineData("eth0 up")]
    [InlineData("eth0:1")]
    [InlineData("a-name-of-sixteen")]
    public void What_cannot_be_a_name_is_refused(string name) =>
        Assert.StartsWith($"capture: \"{name}\" cannot be an interface name", Chosen([Loopback], name), StringComparison.Ordinal);

    [Theory]
    [InlineData(1, LinkType.Ethernet)]
    [InlineData(772, LinkType.Ethernet)]
    [InlineData(65534, LinkType.Raw)]
    [InlineData(519, LinkType.Raw)]
    [InlineData(280, null)]
    public void The_hardware_says_how_frames_begin(int hardware, LinkType? linkType) => Assert.Equal(linkType, (Mirror with { HardwareType = hardware }).LinkType);

    [Theory]
    [InlineData("10.0.0.1", true)]
    [InlineData("169.254.7.7", false)]
    [InlineData("fe80::1", false)]
    [InlineData("2001:db8::1", true)]
    public void A_link_local_address_does_not_make_a_port_busy(string address, bool usable) =>
        Assert.Equal(usable, CaptureInterfaces.IsUsable(IPAddress.Parse(address)));

    [Fact]
    public void The_interfaces_of_this_host_are_those_that_the_platform_knows()
    {
        IReadOnlyList<CaptureInterface> here = CaptureInterfaces.List();
        string[] platform = [.. System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().Select(i => i.Name).Order(StringComparer.Ordinal)];
        Assert.Equal(platform, here.Select(i => i.Name).Order(StringComparer.Ordinal));
        CaptureInterface? loopback = here.FirstOrDefault(i => i.IsLoopback);
        if (loopback is not null) Assert.Equal(LinkType.Ethernet, loopback.LinkType);
        using RouteSocket? route = RouteSocket.Open();
        foreach (CaptureInterface port in here) Assert.NotNull(route!.StatisticsOf(port.Index));
        Assert.Null(route!.StatisticsOf(int.MaxValue));
    }
}
