using System.Text;
using Nfr.Config;
using Nfr.Scoring;

namespace Nfr.Tests.Nfr;

public sealed class BadPortsConfigTests
{
    static NfrConfig? Parse(string value, out IReadOnlyList<ConfigFault> faults) => NfrConfig.Parse("config.yml", Encoding.UTF8.GetBytes("scoring:\n  enabled: true\n" + value), out faults);

    static ScoringConfig Good(string value)
    {
        NfrConfig? config = Parse(value, out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return config!.Scoring;
    }

    [Theory]
    [InlineData("")]
    [InlineData("  bad_ports:\n")]
    [InlineData("  bad_ports: default\n")]
    [InlineData("  bad_ports: [default]\n")]
    public void Without_a_list_it_is_the_one_that_is_built_in(string value)
    {
        ScoringConfig scoring = Good(value);
        Assert.Equal(new Thresholds().BadTcpPorts.Order(), scoring.BadTcpPorts.Order());
        Assert.Equal(new Thresholds().BadUdpPorts.Order(), scoring.BadUdpPorts.Order());
    }

    [Fact]
    public void Ports_are_of_one_protocol_or_both_and_ranges_hold_both_ends()
    {
        ScoringConfig scoring = Good("  bad_ports:\n    - tcp/8081\n    - UDP/7000-7002\n    - 9\n    - 65534-65535\n");
        Assert.Equal<ushort>([9, 8081, 65534, 65535], scoring.BadTcpPorts);
        Assert.Equal<ushort>([9, 7000, 7001, 7002, 65534, 65535], scoring.BadUdpPorts);
        Assert.Equal<ushort>([31337], Good("  bad_ports: tcp/31337\n").BadTcpPorts);
    }

    [Fact]
    public void The_built_in_list_can_be_added_to_and_the_empty_list_is_none()
    {
        Assert.Equal(new Thresholds().BadTcpPorts.Append((ushort)8081).Order(), Good("  bad_ports: [default, tcp/8081]\n").BadTcpPorts);
        Assert.Empty(Good("  bad_ports: []\n").BadTcpPorts);
        Assert.Empty(Good("  bad_ports: []\n").BadUdpPorts);
    }

    [Theory]
    [InlineData("    - tcp/8081\n    - sctp/9\n", 5, "tcp or udp")]
    [InlineData("    - tcp/70000\n", 4, "from 1 to 65535")]
    [InlineData("    - 0\n", 4, "from 1 to 65535")]
    [InlineData("    - tcp/a-b\n", 4, "from 1 to 65535")]
    [InlineData("    - 1-2-3\n", 4, "from 1 to 65535")]
    [InlineData("    - telnet\n", 4, "a range such as")]
    [InlineData("    - 20-10\n", 4, "write 10-20")]
    [InlineData("    - [1, 2]\n", 4, "in each item")]
    public void A_slip_is_told_with_its_line(string items, int line, string message)
    {
        Assert.Null(Parse("  bad_ports:\n" + items, out IReadOnlyList<ConfigFault> faults));
        ConfigFault fault = Assert.Single(faults);
        Assert.Equal(line, fault.Line);
        Assert.Contains("scoring.bad_ports", fault.Message, StringComparison.Ordinal);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }
}
