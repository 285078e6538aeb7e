using System.Collections.Concurrent;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Servers;

/// <summary>
/// Syslog and GELF over TCP and TLS before servers of every bad kind: counted tries a second apart, never a stuck stage, a file beside it that has everything at once; when the
/// server is well again every alert has come, first comings in order, and doubles are what <see cref="StreamSender"/> takes back after a reset or a silence. Real sockets; time goes
/// ten times as fast where time-outs are waited for, and twice as fast where the ten seconds in which an acknowledgement is in doubt must outlast a busy machine.
/// </summary>
public sealed class BadStreamTests(ITestOutputHelper output) : IDisposable
{
    const int First = 250, Then = 30, Bulk = 2000;

    readonly TestCertificates _certificates = new();
    readonly ConcurrentDictionary<string, string> _sentences = [];

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public Task Syslog_outlasts_every_bad_server() => AllAsync("syslog", Tier.Of(2, 8), link => new SyslogSinkOptions { Link = link, Framing = SyslogFraming.Line });

    [Fact]
    public Task Gelf_outlasts_every_bad_server() => AllAsync("GELF", Tier.Of(1, 8), link => new GelfSinkOptions { Link = link });

    async Task AllAsync(string what, int failures, Func<LinkOptions, SinkOptions> sink)
    {
        try
        {
            await EachMood.RunAsync(output, what, [.. StreamMood.Plain, .. StreamMood.Tls], mood => RunAsync(mood, failures, sink));
            // Kernels' buffers, and 64 KiB a second: nobody's processor is kept busy by a server that talks.
            Assert.InRange(BadStream.Swallowed, 1, 300L << 20);
        }
        finally
        {
            output.WriteLine($"{BadStream.Swallowed >> 10:N0} KiB of endless garbage were listened to");
            foreach ((string sentence, string kind) in _sentences) output.WriteLine($"{kind}: {sentence}");
        }
    }

    async Task<EachMood.Course> RunAsync(StreamMood mood, int failures, Func<LinkOptions, SinkOptions> sink)
    {
        await using var server = new BadStream(mood.IsTls ? _certificates : null, mood);
        var time = new FastTime(mood.IsSlow ? 10 : mood.AsksResolver ? 1 : 2);
        using var all = new AllOutputs(time);
        all.Append(First, Bulk);
        var link = new LinkOptions
        {
            Protocol = mood.IsTls ? LinkProtocol.Tls : LinkProtocol.Tcp, Host = mood.Host ?? "127.0.0.1", Port = server.Port,
            Tls = mood.IsTls ? new TlsSettings { Roots = _certificates.RootFile } : TlsSettings.Default,
        };
        long begin = time.GetTimestamp();
        all.Start(sink(link));
        // A server that takes some bytes at each connection may have it all before that.
        await all.UntilAsync(() => all.Bad.State.FailedWrites >= failures || all.Bad.State.Alerts == First, () => $"tries are counted: {all.Bad.State}");
        var course = new EachMood.Course(server.Tries, time.GetElapsedTime(begin));
        await all.AssertOtherIsWellAsync();
        all.AssertTold($"{link.Host}:{link.Port}", mood.Says, mood.Name, _sentences);
        server.Recover();
        if (mood.Host is not null) await all.RestartAsync(sink(link with { Host = "127.0.0.1" }));
        all.Append(Then, Bulk);
        await all.UntilAsync(
            () => server.Came.Distinct().Count() == First + Then && all.Bad.State.Waiting == 0,
            () => $"all alerts come once the server is well: {server.Came.Distinct().Count()} of {First + Then}, {all.Bad.State}");
        await all.AssertOtherIsWellAsync();
        await all.StopAsync();
        Assert.Null(server.Fault);
        int[] came = server.Came, distinct = [.. came.Distinct()];
        Assert.Equal(mood.Mixes ? distinct : distinct.Order(), distinct);
        int doubled = came.Length - distinct.Length;
        // Each broken connection takes back the page in hand and what is in doubt before it.
        int most = (int)all.Bad.State.FailedWrites * (AlertOutput.PageSize + (StreamSender.TailBytes / Bulk) + AlertOutput.PageSize);
        Assert.True(doubled <= most, $"{doubled} alerts doubled, {most} at most");
        return course with { Doubled = doubled };
    }
}
