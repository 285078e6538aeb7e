using BenchmarkDotNet.Attributes;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Bench.Events;

/// <summary>Finding a flow: always the same one, and any of as many as the table holds (each then waits for memory).</summary>
[MemoryDiagnoser]
public class FlowTableBench
{
    readonly FlowTable _flows = new();
    readonly Address _server = Address.FromV4(0xC6330001);
    uint _next;

    [GlobalSetup]
    public void Setup()
    {
        for (uint i = 0; i < FlowTable.DefaultCapacity; i++)
        {
            Address client = Address.FromV4(0x0A000000 + i);
            ref Flow flow = ref _flows[_flows.Add(_flows.Hash(client, 40_000, _server, 443, IPProtocol.Tcp), FlowClass.Established, 0)];
            (flow.Client, flow.Server, flow.ClientPort, flow.ServerPort, flow.Protocol) = (client, _server, 40_000, 443, IPProtocol.Tcp);
        }
    }

    [Benchmark]
    public int Find_same() => Find(0);

    [Benchmark]
    public int Find_any() => Find(_next = ((_next * 1_664_525) + 1_013_904_223) % FlowTable.DefaultCapacity);

    int Find(uint i)
    {
        var packet = new Packet { Source = Address.FromV4(0x0A000000 + i), SourcePort = 40_000, Destination = _server, DestinationPort = 443, Protocol = IPProtocol.Tcp };
        return _flows.Find(FlowTable.None, _flows.Hash(packet.Source, 40_000, _server, 443, IPProtocol.Tcp), packet, out _);
    }
}
