using System.Runtime.Versioning;

namespace Nfr.Tests.Image;

/// <summary>Which port is managed and which capture, however they are named and whenever they come.</summary>
[SupportedOSPlatform("linux")]
public sealed class SettingsPortsTests : SettingsBed
{
    const string Soc = "platform/soc/3f980000.usb/usb1/1-1/1-1.1/", OnBoard3B = Soc + "1-1.1.1/1-1.1.1:1.0", Socket3B = Soc + "1-1.1.2/1-1.1.2:1.0", Pcie = "platform/scb/fd500000.pcie/pci0000:00/usb1/1-1/";

    string? Managed => Directory.GetFiles(At("run/systemd/network"), "10-nfr-management.network") is [string file] ? File.ReadLines(file).Single(l => l.StartsWith("Name=", StringComparison.Ordinal))[5..] : null;
    string Captures => Config.Split("interface: ")[1].Split('\n')[0];

    /// <summary>What Debian's device trees say of a board with a port of its own.</summary>
    void BoardHasAPort(string node = "/soc/usb@7e980000/usb@1/usb@1/ethernet@1")
    {
        Directory.CreateDirectory(At("proc/device-tree/aliases"));
        File.WriteAllText(At("proc/device-tree/aliases/ethernet0"), node + "\0");
    }

    void AssertPorts(string? managed, string captures)
    {
        Assert.Equal((managed, captures), (Managed, Captures));
        string rules = Read("run/nfr-boot/firewall/nfr.nft");
        if (managed is null) Assert.DoesNotContain("management", rules, StringComparison.Ordinal);
        else Assert.Contains($"{{ \"{managed}\" }}", rules, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_this_box_does_not_have_are_named_and_it_does_as_without_them()
    {
        string[] faults = After("management = eth0\ncapture = eth1\n");
        AssertPorts("end0", "[enx001122334455]");
        Assert.Equal("nfr.txt line 1: management: there is no port eth0 now; this box has: end0 enx001122334455. It is taken as soon as it is there; until then end0 is managed", faults[0]);
        Assert.Equal("nfr.txt line 2: capture: there is no port eth1 now; this box has: end0 enx001122334455. It is taken as soon as it is there; until then enx001122334455 captures", faults[1]);
        Assert.Equal(2, faults.Length);
    }

    [Fact]
    public void Of_several_ports_to_capture_from_those_that_are_there_are_taken()
    {
        Port("enx00aabbccddee", Pcie + "1-1.3/1-1.3:1.0");
        Assert.Single(After("capture = enx00aabbccddee enx99\n"));
        AssertPorts("end0", "[enx00aabbccddee]");
    }

    [Theory]
    [InlineData("capture = end0\n", "enx001122334455", "[end0]", false)]
    [InlineData("capture = end0 enx001122334455\n", null, "[end0, enx001122334455]", true)]
    [InlineData("management = enx99\ncapture = end0\n", "enx001122334455", "[end0]", true)]
    [InlineData("management = enx99\ncapture = end0 enx001122334455\n", null, "[end0, enx001122334455]", true)]
    public void A_port_that_nfr_txt_captures_from_is_never_asked_for_an_address_by_default(string text, string? managed, string captures, bool told)
    {
        Assert.Equal(told, After(text).Length > 0);
        AssertPorts(managed, captures);
    }

    [Fact]
    public void A_usb_card_that_comes_before_the_boards_own_port_is_not_managed()
    {
        NoPort("end0", "enx001122334455");
        BoardHasAPort();
        Port("enx000000000001", Socket3B, "00:00:00:00:00:01", "lan78xx");
        Assert.Contains("the board's own port did not appear", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts(null, "[enx000000000001]");
        Port("enxb827eb000002", OnBoard3B, "b8:27:eb:00:00:02", "lan78xx");
        Assert.Empty(After("# nothing\n"));
        AssertPorts("enxb827eb000002", "[enx000000000001]");
        // And the other way round at some later start.
        NoPort("enxb827eb000002");
        Assert.Contains("the port enxb827eb000002 (b8:27:eb:00:00:02) that was managed at the last start is not there", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts(null, "[enx000000000001]");
    }

    [Theory]
    // Sockets of a Pi 4 hang behind PCIe, wherever their hubs count from.
    [InlineData(Pcie + "1-1.1/1-1.1:1.0", "smsc95xx", false)]
    [InlineData(Soc + "1-1.1.1/1-1.1.1:1.0", "lan78xx", true)]
    [InlineData(Soc + "1-1.1.1/1-1.1.1:1.0", "r8152", false)]
    [InlineData(Soc + "1-1.1.3/1-1.1.3:1.0", "lan78xx", false)]
    [InlineData(Soc + "1-1.1:1.0", "smsc95xx", true)]
    [InlineData(Soc + "1-1.1:1.0", "ax88179_178a", false)]
    [InlineData("platform/scb/fd580000.ethernet", "bcmgenet", true)]
    public void The_boards_own_port_is_known_by_what_it_is_not_by_its_name(string device, string driver, bool ofTheBoard)
    {
        NoPort("end0", "enx001122334455");
        Port("aaa0", Pcie + "1-1.2/1-1.2:1.0", "00:00:00:00:00:01", "r8152");
        Port("zzz0", device, "00:00:00:00:00:02", driver);
        After("# nothing\n");
        Assert.Equal(ofTheBoard ? "zzz0" : "aaa0", Managed);
    }

    [Fact]
    public void The_device_tree_says_which_port_is_the_boards_where_it_can()
    {
        NoPort("end0", "enx001122334455");
        BoardHasAPort("/soc/odd/ethernet@7");
        Port("aaa0", Pcie + "1-1.2/1-1.2:1.0", "00:00:00:00:00:01", "r8152");
        Port("zzz0", "platform/odd/9-1/9-1:1.0", "00:00:00:00:00:02", "odd");
        Directory.CreateDirectory(At("sys/firmware/devicetree/base/soc/odd/ethernet@7"));
        File.CreateSymbolicLink(At("sys/devices/platform/odd/9-1/of_node"), At("sys/firmware/devicetree/base/soc/odd/ethernet@7"));
        Assert.Empty(After("# nothing\n"));
        AssertPorts("zzz0", "[aaa0]");
    }

    [Fact]
    public void Roles_stay_with_their_cards_when_the_names_are_given_otherwise()
    {
        NoPort("end0", "enx001122334455");
        Port("eth0", Pcie + "1-1.1/1-1.1:1.0", "00:00:00:00:00:01");
        Port("eth1", Pcie + "1-1.2/1-1.2:1.0", "00:00:00:00:00:02");
        After("# nothing\n");
        AssertPorts("eth0", "[eth1]");
        NoPort("eth0", "eth1");
        Port("eth1", Pcie + "1-1.1/1-1.1:2.0", "00:00:00:00:00:01");
        Port("eth0", Pcie + "1-1.2/1-1.2:2.0", "00:00:00:00:00:02");
        Assert.Empty(After("# nothing\n"));
        AssertPorts("eth1", "[eth0]");
        // A third one captures; one alone that captured is not managed for want of another.
        Port("aaa0", Pcie + "1-1.3/1-1.3:1.0", "00:00:00:00:00:03");
        Assert.Empty(After("# nothing\n"));
        AssertPorts("eth1", "[aaa0, eth0]");
        NoPort("eth1", "aaa0");
        Assert.Contains("no port is managed", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts(null, "[eth0]");
        // Whoever is away now is still who it was.
        Port("eth1", Pcie + "1-1.1/1-1.1:3.0", "00:00:00:00:00:01");
        Assert.Empty(After("# nothing\n"));
        AssertPorts("eth1", "[eth0]");
    }

    [Fact]
    public void What_is_remembered_holds_for_this_box_and_these_lines_alone()
    {
        NoPort("end0", "enx001122334455");
        Port("eth0", Pcie + "1-1.1/1-1.1:1.0", "00:00:00:00:00:01");
        Port("eth1", Pcie + "1-1.2/1-1.2:1.0", "00:00:00:00:00:02");
        After("management = eth1\n");
        AssertPorts("eth1", "[eth0]");
        // The line is gone: so is what came of it.
        After("# nothing\n");
        AssertPorts("eth0", "[eth1]");
        // The card in another box.
        NoPort("eth0", "eth1");
        Port("eth5", Pcie + "1-1.1/1-1.1:2.0", "00:00:00:00:00:05");
        Port("eth6", Pcie + "1-1.2/1-1.2:2.0", "00:00:00:00:00:06");
        Assert.Empty(After("# nothing\n"));
        AssertPorts("eth5", "[eth6]");
    }

    [Fact]
    public async Task A_start_waits_for_the_boards_own_port_to_come()
    {
        NoPort("end0", "enx001122334455");
        BoardHasAPort();
        Port("enx000000000001", Socket3B, "00:00:00:00:00:01", "r8152");
        Text = "# nothing\n";
        // The script cannot end before the port is there: there is nothing else that it would be content with within its patience.
        Task<string> start = Task.Run(() => Start("true", ("NFR_PORTS_STILL", "1"), ("NFR_PORTS_TOTAL", "25")));
        Assert.True(SpinWait.SpinUntil(() => File.Exists(At("run/nfr-boot/understood")), TimeSpan.FromSeconds(60)));
        Port("enxb827eb000002", OnBoard3B, "b8:27:eb:00:00:02", "lan78xx");
        await start;
        Assert.Empty(Faults);
        AssertPorts("enxb827eb000002", "[enx000000000001]");
    }

    /// <summary>What udev has noted of a port, by its index.</summary>
    void Udev(string port, int index, string? noted)
    {
        Directory.CreateDirectory(At("run/udev/data"));
        File.WriteAllText(At($"sys/class/net/{port}/ifindex"), index + "\n");
        if (noted is not null) File.WriteAllText(At($"run/udev/data/n{index}"), noted);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("E:ID_RENAMING=1\n")]
    public async Task A_port_that_udev_has_not_named_yet_is_waited_for_under_the_name_that_it_gets(string? noted)
    {
        NoPort("end0", "enx001122334455");
        Port("eth0", Pcie + "1-1.1/1-1.1:1.0", "00:00:00:00:00:01");
        Udev("eth0", 2, noted);
        Port("enp0s2", Pcie + "1-1.2/1-1.2:1.0", "00:00:00:00:00:02");
        Udev("enp0s2", 3, "E:ID_NET_NAME=enp0s2\n");
        Text = "management = enp0s2\ncapture = enp0s3\n";
        Task<string> start = Task.Run(() => Start("true", ("NFR_PORTS_TOTAL", "1"), ("NFR_NAMES_TOTAL", "60")));
        Assert.True(SpinWait.SpinUntil(() => File.Exists(At("run/nfr-boot/understood")), TimeSpan.FromSeconds(60)));
        NoPort("eth0");
        Port("enp0s3", Pcie + "1-1.1/1-1.1:2.0", "00:00:00:00:00:01");
        Udev("enp0s3", 2, "E:ID_NET_NAME=enp0s3\n");
        await start;
        Assert.Empty(Faults);
        AssertPorts("enp0s2", "[enp0s3]");
    }

    [Fact]
    public void A_port_that_never_gets_a_name_is_not_waited_for_without_end()
    {
        Udev("end0", 2, "E:ID_NET_NAME=end0\n");
        Udev("enx001122334455", 3, null);
        Text = "# nothing\n";
        Start("true", ("NFR_PORTS_TOTAL", "0"), ("NFR_NAMES_TOTAL", "1"));
        AssertPorts("end0", "[end0]");
    }

    [Fact]
    public void Where_every_port_is_known_to_be_there_nothing_is_waited_for()
    {
        // Longer than the scripts have in these tests.
        (string, string)[] patience = [("NFR_PORTS_STILL", "100"), ("NFR_PORTS_TOTAL", "100")];
        Text = "management = end0\ncapture = enx001122334455\n";
        Start("true", patience);
        After("# nothing\n");
        Start("true", patience);
        AssertPorts("end0", "[enx001122334455]");
    }

    /// <summary>A managed one, and as many that capture; none of the board.</summary>
    void Adapters(params ReadOnlySpan<string> names)
    {
        NoPort("end0", "enx001122334455");
        foreach (string name in names) Adapter(name);
        Assert.Empty(After("# nothing\n"));
        AssertPorts(names[0], $"[{string.Join(", ", names[1..])}]");
    }

    void Adapter(string name) => Port(name, $"{Pcie}1-1.{name[3..]}/1-1.{name[3..]}:1.0", "00:00:00:00:00:0" + name[3..]);

    /// <summary>The box was switched off and on: what lay in memory is gone.</summary>
    void Reboot()
    {
        Directory.Delete(At("run"), recursive: true);
        Directory.CreateDirectory(At("run/nfr-boot"));
    }

    [Fact]
    public void A_new_adapter_takes_the_place_of_the_managed_one_that_is_gone_and_says_so()
    {
        Adapters("eth1", "eth2", "eth3");
        Reboot();
        NoPort("eth1");
        Adapter("eth5");
        Assert.StartsWith("the port eth1 (00:00:00:00:00:01) that was managed at the last start is not there, and eth5 (00:00:00:00:00:05), the only one that this box has not seen before, is managed in its place", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts("eth5", "[eth2, eth3]");
        Reboot();
        Assert.Empty(After("# nothing\n"));
        AssertPorts("eth5", "[eth2, eth3]");
        // The old one, mended, is one more to capture with.
        Adapter("eth1");
        Assert.Empty(After("# nothing\n"));
        AssertPorts("eth5", "[eth1, eth2, eth3]");
    }

    [Fact]
    public void A_managed_port_that_was_only_late_has_its_place_back()
    {
        Adapters("eth1", "eth2");
        Reboot();
        NoPort("eth1");
        Adapter("eth5");
        After("# nothing\n");
        AssertPorts("eth5", "[eth2]");
        Adapter("eth1");
        PortsChanged();
        Assert.Empty(Faults);
        AssertPorts("eth1", "[eth2, eth5]");
        Reboot();
        Assert.Empty(After("# nothing\n"));
        AssertPorts("eth1", "[eth2, eth5]");
    }

    [Fact]
    public void A_new_adapter_is_not_managed_while_one_that_captured_is_away_too()
    {
        Adapters("eth1", "eth2", "eth3");
        NoPort("eth1", "eth2");
        Adapter("eth5");
        Assert.Contains("the port eth1 (00:00:00:00:00:01) that was managed at the last start is not there", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts(null, "[eth3, eth5]");
        // What it did meanwhile does not keep it from its place.
        Adapter("eth2");
        PortsChanged();
        AssertPorts("eth5", "[eth2, eth3]");
    }

    [Fact]
    public void Of_two_new_adapters_none_is_managed_until_one_is_left()
    {
        Adapters("eth1", "eth2");
        NoPort("eth1");
        Adapter("eth5");
        Adapter("eth6");
        Assert.Contains("no port is managed", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts(null, "[eth2, eth5, eth6]");
        NoPort("eth5");
        Assert.Contains("eth6 (00:00:00:00:00:06), the only one", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts("eth6", "[eth2]");
    }

    [Fact]
    public void A_new_adapter_is_not_managed_where_the_boards_own_port_has_yet_to_come()
    {
        NoPort("end0", "enx001122334455");
        BoardHasAPort();
        Port("enxb827eb000002", OnBoard3B, "b8:27:eb:00:00:02", "lan78xx");
        Adapter("eth2");
        Assert.Empty(After("# nothing\n"));
        AssertPorts("enxb827eb000002", "[eth2]");
        NoPort("enxb827eb000002");
        Adapter("eth5");
        Assert.Contains("no port is managed", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        AssertPorts(null, "[eth2, eth5]");
    }

    [Fact]
    public void Instead_of_a_named_port_that_is_away_none_that_captured_is_managed_as_the_file_says()
    {
        Assert.Contains("Where the managed port is missing,\n# a port that captured before never takes its place, since it would send into the mirror; a new port does, if it is the only new one.", File.ReadAllText(Path.Combine(Shell.Root, "image/nfr.txt")), StringComparison.Ordinal);
        const string Line = "management = enx001122334455\n";
        Assert.Empty(After(Line));
        AssertPorts("enx001122334455", "[end0]");
        NoPort("enx001122334455");
        Assert.EndsWith("until then no port is managed", Assert.Single(After(Line)), StringComparison.Ordinal);
        AssertPorts(null, "[end0]");
        // Another in its place is taken, though the line names the old one.
        Port("enx00aabbccddee", Pcie + "1-1.3/1-1.3:1.0");
        Assert.EndsWith("until then enx00aabbccddee is managed", Assert.Single(After(Line)), StringComparison.Ordinal);
        AssertPorts("enx00aabbccddee", "[end0]");
    }

    /// <summary>What networkd sets for a port that captures stays when another file has nothing to say of it.</summary>
    [Fact]
    public void What_a_capture_port_is_forbidden_the_managed_one_is_given_back()
    {
        string capture = File.ReadAllText(Shell.Appliance("etc/systemd/network/90-nfr-capture.network"));
        // Of these the first alone sticks to a port; for another one the lines below must grow.
        Assert.Contains("\n[Link]\nARP=no\nActivationPolicy=always-up\nRequiredForOnline=no\n\n[Network]\n", capture, StringComparison.Ordinal);
        After("# nothing\n");
        Assert.StartsWith("[Match]\nName=end0\n\n[Link]\nARP=yes\n\n[Network]\n", Read("run/systemd/network/10-nfr-management.network"), StringComparison.Ordinal);
        After("vlan = 20\n");
        Assert.StartsWith("[Match]\nName=nfr.20\n\n[Link]\nARP=yes\n\n[Network]\n", Read("run/systemd/network/10-nfr-management.network"), StringComparison.Ordinal);
        Assert.StartsWith("[Match]\nName=end0\n\n[Link]\nARP=yes\n\n[Network]\nVLAN=nfr.20\n", Read("run/systemd/network/11-nfr-trunk.network"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", true)]
    // Networkd never says that it may have addresses.
    [InlineData("1", false)]
    public void A_managed_port_that_comes_later_gets_its_ipv6_address(string mode, bool made)
    {
        NoPort("end0");
        After("management = end0\n");
        Port("end0", "platform/fd580000.ethernet");
        Directory.CreateDirectory(At("proc/sys/net/ipv6/conf/end0"));
        string file = At("proc/sys/net/ipv6/conf/end0/addr_gen_mode");
        File.WriteAllText(file, mode + "\n");
        PortsChanged(("NFR_TRIES", "1"));
        Assert.Equal(made, Applied.Contains($"networkctl reload\nwrite {file} 1\nwrite {file} 0\n", StringComparison.Ordinal));
        Assert.Equal(made, Applied.Contains("write ", StringComparison.Ordinal));
        // One that was managed before has it already.
        File.Delete(At("run/nfr-boot/applied"));
        File.WriteAllText(file, "0\n");
        Port("enx00aabbccddee", Pcie + "1-1.3/1-1.3:1.0");
        PortsChanged();
        Assert.DoesNotContain("write", Applied, StringComparison.Ordinal);
    }

    string PortsChanged(params ReadOnlySpan<(string, string)> more) =>
        Shell.Run($"sh {Shell.Scripts}/ports-changed", [("NFR_ROOT", At("")), ("NFR_CONTROL", At("card")), ("NFR_CHECK", "true"), ("NFR_SPACING", "0"), .. more]);
    string Applied => File.Exists(At("run/nfr-boot/applied")) ? Read("run/nfr-boot/applied") : "";

    [Fact]
    public void A_port_that_comes_later_is_taken_without_a_new_start()
    {
        NoPort("enx001122334455");
        Assert.Single(After("capture = enx001122334455\n"));
        AssertPorts("end0", "[end0]");
        // udev tells of each port at the start, too.
        PortsChanged();
        Assert.Equal("", Applied);
        Port("enx001122334455", Pcie + "1-1.4/1-1.4:1.0");
        PortsChanged();
        Assert.Empty(Faults);
        AssertPorts("end0", "[enx001122334455]");
        Assert.Equal("systemctl reload nftables.service\nnetworkctl reload\nsystemctl --no-block try-reload-or-restart nfr.service\n", Applied);
        // Told again, there is nothing to do.
        PortsChanged();
        Assert.Equal(3, Applied.Split('\n').Length - 1);
    }

    [Fact]
    public void A_port_that_changes_nothing_leaves_the_sensor_alone()
    {
        After("management = end0\ncapture = enx001122334455\n");
        Port("enx00aabbccddee", Pcie + "1-1.3/1-1.3:1.0");
        PortsChanged();
        Assert.DoesNotContain("nfr.service", Applied, StringComparison.Ordinal);
    }

    [Fact]
    public void However_often_ports_appear_the_settings_are_made_three_times_a_call_at_most()
    {
        // Settings that never see the port.
        File.WriteAllText(At("settings"), $"#!/bin/sh\necho once >> {At("runs")}\n");
        File.SetUnixFileMode(At("settings"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Contains("ports appear again and again", PortsChanged(("NFR_SETTINGS", At("settings"))), StringComparison.Ordinal);
        Assert.Equal(3, File.ReadAllLines(At("runs")).Length);
    }

    [Fact]
    public void Udev_asks_for_a_unit_that_runs_the_script()
    {
        Assert.Contains("ENV{SYSTEMD_WANTS}+=\"nfr-ports.service\"", File.ReadAllText(Shell.Appliance("usr/lib/udev/rules.d/60-nfr-ports.rules")), StringComparison.Ordinal);
        string unit = File.ReadAllText(Shell.Appliance("usr/lib/systemd/system/nfr-ports.service"));
        Assert.Contains("\nExecStart=/usr/lib/nfr/ports-changed\n", unit, StringComparison.Ordinal);
        Assert.Contains("\nAfter=nfr-settings.service ", unit, StringComparison.Ordinal);
        Assert.True(File.GetUnixFileMode(Shell.Appliance("usr/lib/nfr/ports-changed")).HasFlag(UnixFileMode.UserExecute));
    }
}
