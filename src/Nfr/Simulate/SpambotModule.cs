using System.Net;

namespace Nfr.Simulate;

/// <summary>
/// A bot that is about to send: the MX records of mail domains are asked for without a pause until there are ten mail servers, then each
/// is looked up and connected to on port 25. No SMTP is spoken.
/// </summary>
public static class SpambotModule
{
    public const int HostCount = 10;
    public const int MailPort = 25;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(300);

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        int count = run.Hosts(HostCount);
        string[] domains = run.Choose(run.Destinations.MailDomains, run.Destinations.MailDomains.Count);
        run.Random.Shuffle(domains);
        int asked = 0;
        var exchanges = new List<(string Name, IPEndPoint Server)>();
        foreach (string domain in domains)
        {
            if (exchanges.Count == count || stop.IsCancellationRequested) break;
            string exchange = "mx." + domain;
            if (run.Dry is null)
            {
                asked++;
                DnsReply? reply = await run.Resolver().QueryAsync(domain, DnsWire.TypeMx, s_patience, stop).ConfigureAwait(false);
                // Without an answer the usual name serves: what the sensor shall see is the round of connections.
                if (reply is { Exchanges: [var first, ..] }) exchange = first;
            }
            if (exchanges.All(known => known.Name != exchange)) exchanges.Add((exchange, new IPEndPoint(run.Destinations.MailServerOf(domain), MailPort)));
        }
        await run.EachHostAsync([.. exchanges.Select(known => $"ask for the MX behind {known.Name}, look that up, connect to {known.Server}, send nothing")], HostTime, async (i, token) =>
        {
            await run.Resolver().LookupHostAsync(exchanges[i].Name, HostTime, token).ConfigureAwait(false);
            await run.ConnectAsync(exchanges[i].Server, talk: null, token).ConfigureAwait(false);
        }, stop).ConfigureAwait(false);
        return $"{asked} MX queries, TCP connects to port {MailPort} of {exchanges.Count} mail servers";
    }
}
