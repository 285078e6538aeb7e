using System.Globalization;
using System.Text.RegularExpressions;
using Nfr.Events;
using Nfr.Pipeline;
using Xunit.Abstractions;

namespace Nfr.Tests.House;

/// <summary>The sizes in ARCHITECTURE.md's table of budgets are those that the tables take.</summary>
public sealed class BudgetTests(ITestOutputHelper output)
{
    static string Architecture
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) folder = folder.Parent;
            return File.ReadAllText(Path.Combine(folder!.FullName, "src", "ARCHITECTURE.md"));
        }
    }

    /// <summary>Bytes on the heap.</summary>
    static long Cost(Func<object> make)
    {
        // The first one brings what its types need once.
        GC.KeepAlive(make());
        return Allocation.Least(() => GC.KeepAlive(make()));
    }

    static FrameDecoder<NullSink> Decoder() => new(new DecoderOptions(), default);

    public static TheoryData<string, int> Tables => new()
    {
        { "flows, all workers together", FlowTable.DefaultCapacity },
        { "parsed connections", Conversations<NullSink>.Capacity },
        { "QUIC connections being opened", QuicConversations<NullSink>.Capacity },
        { "DTLS handshakes being read", DtlsConversations<NullSink>.Capacity },
        { "flows with details", FlowDetails.Capacity },
        { "tunnels that living flows are in", TunnelTable.Capacity },
        { "DNS queries that wait", WaitingQueries.Capacity },
        { "hosts, each worker and the pipeline", HostTable.Capacity },
        { "fragmented datagrams", Fragments.Capacity },
        { "buffers", 0 },
        { "event ring, each worker", 0 },
    };

    static object Make(string what) => what switch
    {
        "flows, all workers together" => new FlowTable(),
        "parsed connections" => Enumerable.Range(0, Conversations<NullSink>.Capacity).Select(_ => new Conversation()).ToArray(),
        "QUIC connections being opened" => new QuicConversations<NullSink>(null!, null!, null!, null!),
        "DTLS handshakes being read" => new DtlsConversations<NullSink>(null!, null!, null!),
        "flows with details" => new FlowDetails(),
        "tunnels that living flows are in" => new TunnelTable(),
        "DNS queries that wait" => new WaitingQueries(null!),
        "hosts, each worker and the pipeline" => new HostTable(),
        "fragmented datagrams" => new Fragments(null!, null!),
        "buffers" => new BufferPool(),
        "event ring, each worker" => new EventRing(),
        "one worker's decode loop, all of it" => Decoder(),
        _ => throw new ArgumentOutOfRangeException(nameof(what)),
    };

    /// <summary>The row's number of places and its size in MiB.</summary>
    [Theory]
    [MemberData(nameof(Tables))]
    public void A_table_takes_what_its_row_says(string what, int places)
    {
        string[] cells = [.. Regex.Match(Architecture, $@"^\| {Regex.Escape(what)} \|.*$", RegexOptions.Multiline).Value.Split('|').Select(c => c.Trim())];
        string size = string.Create(CultureInfo.InvariantCulture, $"{Cost(() => Make(what)) / 1048576.0:0.0} MiB");
        output.WriteLine($"{what}: {size}");
        Assert.True(cells.Length > 2, $"no row \"{what}\" in the table of budgets; it takes {size}");
        Assert.Contains(size, cells[2], StringComparison.Ordinal);
        if (places > 0) Assert.StartsWith(places.ToString("N0", CultureInfo.InvariantCulture), cells[2], StringComparison.Ordinal);
    }

    [Fact]
    public void A_workers_decode_loop_takes_what_the_text_says()
    {
        string size = string.Create(CultureInfo.InvariantCulture, $"{Cost(Decoder) / 1048576.0:0} MiB");
        output.WriteLine(size);
        Assert.Contains($"all of a worker's tables together take {size}", Architecture, StringComparison.Ordinal);
    }
}
