using System.Diagnostics;
using System.Globalization;
using Nfr.Tests;
using Nfr.Uplink;

namespace Nfr.Faults.Fleet;

/// <summary>A fleet link in a process of its own, which sees another /etc/hosts: says in one line on stdout whether it came about, and why not.</summary>
static class LinkChild
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>PORT ROOTS.</summary>
    public static int Run(string[] args)
    {
        string folder = Directory.CreateTempSubdirectory("nfr-link-").FullName;
        long from = Stopwatch.GetTimestamp();
        try
        {
            var options = new FleetOptions
            {
                Host = MqttCertificates.TwofoldName, Port = int.Parse(args[0], CultureInfo.InvariantCulture), UseTls = true, Tls = new TlsSettings { Roots = args[1] },
                Topics = FleetBench.Topics, Folder = folder, MostWait = TimeSpan.FromMilliseconds(500),
            };
            using var link = new FleetLink(options, () => new FleetInfo { Name = "box", Site = "test", Id = "box1" }, beat => new FleetHealth { Beat = beat }, (_, _) => null, TimeProvider.System, _ => { });
            link.Start();
            while (link.State is { Connects: 0, Trouble: null } && Stopwatch.GetElapsedTime(from) < s_limit) Thread.Sleep(20);
            FleetState state = link.State;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(state.Connects > 0 ? "connected" : state.Trouble ?? "nothing")}|{Stopwatch.GetElapsedTime(from).TotalMilliseconds:0}"));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
