using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Nfr.Native;

namespace Nfr.Demo;

/// <param name="ConfigPath">The config that the sensor runs with; null = built-in defaults.</param>
/// <param name="Length">How long the office works; the modules need <see cref="DemoCommand.LeastSeconds"/>.</param>
/// <param name="Live">A live table; otherwise plain lines.</param>
public sealed record DemoOptions(string? ConfigPath, TimeSpan Length, bool Live);

/// <summary><c>nfr demo</c>: a small office in a private network, with the sensor on its mirror port.</summary>
public static class DemoCommand
{
    public const int DefaultSeconds = 40;
    /// <summary>The slowest module is 30 s on the wire; the last of its connections nobody answers.</summary>
    public const int LeastSeconds = 33;

    /// <summary>As root a network namespace is enough; anyone else gets one through a user namespace in which they are root.</summary>
    static readonly string[][] s_ways = [["--net"], ["--user", "--map-root-user", "--net"]];

    /// <summary>The command for the command line's tree; the two processes that the demo starts are hidden commands below it.</summary>
    /// <param name="sensor">How to start the sensor; null = the office works unwatched, and the demo fails.</param>
    /// <param name="config">The command line's own --config, when it has one for all commands.</param>
    public static Command CreateCommand(DemoSensor? sensor, Option<string?>? config = null)
    {
        var once = new Option<bool>("--once") { Description = "plain lines, no live table: for scripts" };
        var seconds = new Option<int>("--seconds")
        {
            Description = "how long the office works",
            DefaultValueFactory = _ => DefaultSeconds,
        };
        var inside = new Option<bool>("--inside") { Hidden = true };
        var command = new Command("demo", "Watch the sensor work on a small office in a private network") { once, seconds, inside };
        if (config is null) command.Add(config = new Option<string?>("--config", "-c") { Description = "config that the sensor runs with (default: config.yml in the current folder)" });
        command.SetAction(async (parsed, stop) =>
        {
            TextWriter error = parsed.InvocationConfiguration.Error;
            int length = parsed.GetValue(seconds);
            if (length < LeastSeconds)
            {
                await error.WriteLineAsync($"nfr demo: --seconds {length} is too short: the slowest modules need {LeastSeconds}").ConfigureAwait(false);
                return 2;
            }
            string? configPath = parsed.GetValue(config) ?? (File.Exists("config.yml") ? "config.yml" : null);
            if (configPath is not null && !File.Exists(configPath))
            {
                await error.WriteLineAsync($"nfr demo: {configPath}: no such file").ConfigureAwait(false);
                return 2;
            }
            bool live = !parsed.GetValue(once) && !Console.IsOutputRedirected;
            if (!parsed.GetValue(inside)) return GoInside(length, configPath, live, error);
            var options = new DemoOptions(configPath, TimeSpan.FromSeconds(length), live);
            using var signals = new StopSignal(stop);
            return await new DemoRun(options, sensor, parsed.InvocationConfiguration.Output, error, TimeProvider.System).RunAsync(signals.Token).ConfigureAwait(false);
        });

        command.Add(Child("office", Office.RunAsync));
        command.Add(Child("internet", Internet.RunAsync));
        return command;
    }

    static Command Child(string role, Func<TextReader, TextWriter, TextWriter, CancellationToken, Task<int>> run)
    {
        var command = new Command(role) { Hidden = true };
        command.SetAction(async (parsed, stop) =>
        {
            // Ctrl-C reaches us too, but the end comes from the demo, as the end of our input.
            using PosixSignalRegistration ignored = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
            return await run(Console.In, Console.Out, Console.Error, stop).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>
    /// Becomes <c>unshare … nfr demo --inside</c>. A process with threads cannot enter a user namespace, so util-linux does it before the
    /// next program starts. Returns only when that is not possible.
    /// </summary>
    static int GoInside(int seconds, string? configPath, bool live, TextWriter error)
    {
        foreach (string[] way in Environment.IsPrivilegedProcess ? s_ways : s_ways[1..])
        {
            if (!NetworkTools.MayUnshare(way)) continue;
            List<string> arguments = [.. way, .. NetworkTools.Self(), "demo", "--inside", "--seconds", seconds.ToString(CultureInfo.InvariantCulture)];
            if (!live) arguments.Add("--once");
            if (configPath is not null) arguments.AddRange(["--config", configPath]);
            error.WriteLine("nfr demo: " + ProcessImage.Replace("unshare", arguments));
            return 1;
        }
        error.WriteLine("nfr demo: this system gives no private network namespace (or util-linux's unshare is missing): run it as root, or allow "
            + "unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)");
        return 1;
    }
}
