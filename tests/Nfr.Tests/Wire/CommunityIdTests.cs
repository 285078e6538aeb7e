using System.Text.Json;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Wire;

public sealed class CommunityIdTests(ITestOutputHelper output)
{
    static string Write(string source, string destination, int sourcePort, int destinationPort, int protocol, ushort seed = 0)
    {
        Assert.True(Address.TryParse(source, out Address from));
        Assert.True(Address.TryParse(destination, out Address to));
        byte[] text = new byte[CommunityId.Length];
        return Bytes.Text(text.AsSpan(0, CommunityId.Write(from, to, (ushort)sourcePort, (ushort)destinationPort, (byte)protocol, seed, text)));
    }

    [Theory]
    [InlineData("192.168.0.89", "192.168.0.1", 8, 0, 1, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=")]
    [InlineData("192.168.0.1", "192.168.0.89", 0, 0, 1, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=")]
    [InlineData("10.0.0.1", "10.0.0.2", 11, 0, 1, "1:YHxtAirCG//0OzkcVAukqKQN9xM=")]
    [InlineData("2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, 6, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=")]
    [InlineData("2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943, 6, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=")]
    [InlineData("fe80::200:86ff:fe05:80da", "ff02::2", 133, 0, 58, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=")]
    public void A_flow_has_its_known_id(string source, string destination, int sourcePort, int destinationPort, int protocol, string expected) =>
        Assert.Equal(expected, Write(source, destination, sourcePort, destinationPort, protocol));

    [Fact]
    public void A_type_that_nothing_answers_keeps_its_direction() =>
        Assert.NotEqual(Write("10.0.0.1", "10.0.0.2", 11, 0, 1), Write("10.0.0.2", "10.0.0.1", 11, 0, 1));

    [Fact]
    public void Equal_addresses_are_ordered_by_port() => Assert.Equal(Write("10.0.0.1", "10.0.0.1", 1, 2, 17), Write("10.0.0.1", "10.0.0.1", 2, 1, 17));

    [Fact]
    public void A_protocol_without_ports_ignores_them() => Assert.Equal(Write("10.0.0.1", "10.0.0.2", 0, 0, 47), Write("10.0.0.2", "10.0.0.1", 5, 6, 47));

    [Fact]
    public void A_destination_that_is_too_short_gets_nothing() =>
        Assert.Equal(0, CommunityId.Write(default, default, 1, 2, 6, 0, new byte[CommunityId.Length - 1]));

    [Fact]
    public void Writing_an_id_allocates_nothing()
    {
        byte[] text = new byte[CommunityId.Length];
        Assert.True(Address.TryParse("2001:db8::1", out Address a));
        Assert.True(Address.TryParse("192.0.2.1", out Address b));
        Assert.Equal(0, Allocation.Of(() => CommunityId.Write(a, b, 1, 2, 6, 0, text)));
    }

    [Fact]
    public void The_baselines_of_the_specification_agree()
    {
        if (!Corpus.TryFind("5-community-id", out string folder))
        {
            output.WriteLine("skipped: no corpus beside the checkout");
            return;
        }
        int count = 0;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach ((string set, ushort seed) in ((string, ushort)[])[("deflt", 0), ("seed1", 1)])
            {
                foreach (JsonElement row in json.RootElement.GetProperty(set).EnumerateArray()) count += Check(row, seed);
            }
        }
        using var tuples = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tuples-dev.json")));
        foreach (JsonElement row in tuples.RootElement.EnumerateArray())
        {
            string config = row.GetProperty("config").GetString()!;
            if (config.StartsWith("Default", StringComparison.Ordinal)) count += Check(row, 0);
            else if (config.Contains("seed=1", StringComparison.Ordinal)) count += Check(row, 1);
        }
        output.WriteLine($"{count} ids agree");
        Assert.True(count > 50);
    }

    static int Check(JsonElement row, ushort seed)
    {
        int Port(string name) => row.TryGetProperty(name, out JsonElement port) && port.ValueKind == JsonValueKind.Number ? port.GetInt32() : 0;
        string id = Write(
            row.GetProperty("saddr").GetString()!, row.GetProperty("daddr").GetString()!, Port("sport"), Port("dport"), row.GetProperty("proto").GetInt32(), seed);
        Assert.True(row.GetProperty("communityid").GetString() == id, $"{row} seed {seed}: {id}");
        return 1;
    }
}
