using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Nfr.Tests.Nfr;

namespace Nfr.Tests.Package;

/// <summary>The units as systemd itself reads and rates them.</summary>
public sealed class UnitFileTests : IDisposable
{
    const string Analyze = "/usr/bin/systemd-analyze";

    readonly string _root = Directory.CreateTempSubdirectory("nfr-units-").FullName;

    static string Units => Path.Combine(ConfigTests.Shipped("image"), "systemd", "units");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    static (int Code, string Said) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    [InstalledTheory(Analyze)]
    [InlineData("nfr.service", 1.8)]
    [InlineData("nfr-panel.service", 0.6)]
    [InlineData("nfr-requests.service", 1.5)]
    [InlineData("nfr-factory-reset.service", 1.8)]
    [InlineData("nfr-upgrade-check.service", 2.0)]
    public void A_unit_is_no_more_exposed_than_it_may_be(string unit, double most)
    {
        (_, string said) = Run(Analyze, "security", "--offline=true", "--no-pager", Path.Combine(Units, unit));
        Match level = Regex.Match(said, @"Overall exposure level for \S+: ([0-9.]+)");
        Assert.True(level.Success, said);
        Assert.InRange(double.Parse(level.Groups[1].Value, CultureInfo.InvariantCulture), 0, most);
    }

    /// <summary>A system of nothing but the units and what they call.</summary>
    void Install()
    {
        string folder = Path.Combine(_root, "etc/systemd/system");
        Directory.CreateDirectory(folder);
        foreach (string unit in Directory.GetFiles(Units)) File.Copy(unit, Path.Combine(folder, Path.GetFileName(unit)));
        foreach (string program in new[] { "usr/bin/nfr", "bin/kill", "bin/sleep", "usr/lib/nfr/requests", "usr/lib/nfr/factory-reset" })
        {
            string path = Path.Combine(_root, program);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "#!/bin/sh\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        }
        // Those of systemd's own that ours name.
        foreach (string other in new[] { "sysinit.target", "basic.target", "shutdown.target", "multi-user.target", "paths.target", "time-set.target", "network.target", "-.mount", "tmp.mount", "system.slice" })
            File.WriteAllText(Path.Combine(folder, other), other.EndsWith(".mount", StringComparison.Ordinal) ? $"[Mount]\nWhat=none\nWhere={(other == "-.mount" ? "/" : "/tmp")}\n" : "[Unit]\n");
    }

    (int Code, string Said) Verify(string unit) => Run(Analyze, "verify", "--recursive-errors=no", "--man=no", $"--root={_root}", unit);

    [InstalledFact(Analyze)]
    public void Systemd_finds_no_mistake_in_any_unit()
    {
        Install();
        Assert.All(Directory.GetFiles(Units).Select(Path.GetFileName), unit => Assert.Equal((0, ""), Verify(unit!)));
    }

    [InstalledFact(Analyze)]
    public void A_misspelt_key_would_be_found()
    {
        Install();
        File.AppendAllText(Path.Combine(_root, "etc/systemd/system/nfr.service"), "[Service]\nProtectSytem=strict\n");
        Assert.Contains("ProtectSytem", Verify("nfr.service").Said, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sensors_unit_never_gives_up_is_watched_and_has_one_capability()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Units, "nfr.service"));
        Assert.All(new[] { "Type=notify", "WatchdogSec=30", "Restart=always", "StartLimitIntervalSec=0", "AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW", "MemoryMax=256M" }, line => Assert.Contains(line, lines));
        // The time to stop is longer than the drain of the sensor (five seconds).
        Assert.True(int.Parse(lines.Single(l => l.StartsWith("TimeoutStopSec=", StringComparison.Ordinal))[15..], CultureInfo.InvariantCulture) >= 15);
    }

    [Fact]
    public void The_panels_unit_has_no_network_and_no_capability()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Units, "nfr-panel.service"));
        Assert.All(new[] { "PrivateNetwork=yes", "CapabilityBoundingSet=", "RestrictAddressFamilies=AF_UNIX", "DevicePolicy=closed", "User=nfr-panel", "Type=notify", "WatchdogSec=30" }, line => Assert.Contains(line, lines));
    }

    [InstalledTheory("/bin/sh")]
    [InlineData("image/systemd/libexec/requests")]
    [InlineData("image/systemd/libexec/factory-reset")]
    [InlineData("image/systemd/shutdown/nfr-panel")]
    [InlineData("image/deb/postinst")]
    [InlineData("image/deb/prerm")]
    [InlineData("image/deb/postrm")]
    public void A_script_is_one_that_the_shell_understands(string script) => Assert.Equal((0, ""), Run("/bin/sh", "-n", Path.Combine(Path.GetDirectoryName(ConfigTests.Shipped("config.yml"))!, script)));

    /// <summary>A package that is removed and comes back finds each of its units as it was.</summary>
    [Fact]
    public void Every_unit_that_a_removal_masks_is_unmasked_by_an_installation()
    {
        string deb = Path.Combine(ConfigTests.Shipped("image"), "deb");
        string installs = File.ReadAllText(Path.Combine(deb, "postinst"));
        string[] masked = Regex.Match(File.ReadAllText(Path.Combine(deb, "postrm")), "deb-systemd-helper mask ([^>]+) >").Groups[1].Value.Split(' ');
        Assert.Equal(3, masked.Length);
        Assert.Contains("deb-systemd-helper unmask \"$unit\"", installs, StringComparison.Ordinal);
        Assert.All(masked, unit => Assert.Matches($"(?m)^(for unit in .*{Regex.Escape(unit)}|deb-systemd-helper unmask {Regex.Escape(unit)})", installs));
    }

    /// <summary>The script itself, in a folder of its own and with a systemctl that writes down what it is told.</summary>
    string Asked(Action<string> ask, bool ofPanel = true, bool isBox = true)
    {
        string requests = Path.Combine(_root, "requests");
        // This folder is as its test made it: root's and a group's that is not everywhere.
        (int code, string said) = Requests(ask, $"made=$(stat -c '%u %G %a' {requests})", ofPanel, isBox);
        Assert.True(code == 0, said);
        Assert.Empty(Directory.GetFileSystemEntries(requests));
        string told = Path.Combine(_root, "told");
        return (File.Exists(told) ? File.ReadAllText(told) : "") + said;
    }

    (int Code, string Said) Requests(Action<string> ask, string made, bool ofPanel = true, bool isBox = true)
    {
        string requests = Path.Combine(_root, "requests");
        string bin = Path.Combine(_root, "bin");
        Directory.CreateDirectory(requests);
        Directory.CreateDirectory(bin);
        string told = Path.Combine(_root, "told");
        File.WriteAllText(Path.Combine(bin, "systemctl"), $"#!/bin/sh\n[ \"$1\" != is-enabled ] || exit 1\necho \"$*\" >> {told}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path.Combine(bin, "systemctl"), (UnixFileMode)0b111_101_101);
        string script = Path.Combine(_root, "script");
        // Who made the files is whoever runs the test: the panel's user, or not.
        File.WriteAllText(script, File.ReadAllText(Path.Combine(Units, "../libexec/requests")).Replace("folder=/run/nfr/requests", $"folder={requests}\nPATH={bin}:$PATH", StringComparison.Ordinal).Replace("made='0 nfr 1770'", made, StringComparison.Ordinal)
            .Replace("panel=$(id -u nfr-panel 2>/dev/null)", ofPanel ? "panel=$(id -u)" : "panel=54321", StringComparison.Ordinal)
            .Replace("appliance=/usr/share/nfr/image.json", $"appliance={(isBox ? script : script + ".absent")}", StringComparison.Ordinal));
        ask(requests);
        return Run("/bin/sh", script);
    }

    [InstalledFact("/bin/sh")]
    public void In_a_folder_that_is_not_the_one_that_was_made_nothing_is_done()
    {
        string elsewhere = Path.Combine(_root, "elsewhere");
        Directory.CreateDirectory(elsewhere);
        File.WriteAllText(Path.Combine(elsewhere, "reload"), "stays");
        (int code, string said) = Requests(folder =>
        {
            Directory.Delete(folder);
            Directory.CreateSymbolicLink(folder, elsewhere);
        }, "made='0 nfr 1770'");
        Assert.Equal(1, code);
        Assert.Contains("is not the folder that was made; nothing is done", said, StringComparison.Ordinal);
        Assert.Equal("stays", File.ReadAllText(Path.Combine(elsewhere, "reload")));
        Assert.False(File.Exists(Path.Combine(_root, "told")));
    }

    [InstalledTheory("/bin/sh")]
    [InlineData("reload", "--no-block reload nfr.service")]
    [InlineData("upgrade-check", "--no-block start nfr-upgrade-check.service")]
    [InlineData("factory-reset", "--no-block start nfr-factory-reset.service")]
    [InlineData("restart", "--no-block restart nfr.service")]
    [InlineData("reboot", "--no-block reboot")]
    [InlineData("shutdown", "--no-block poweroff")]
    public void A_request_is_done_and_its_file_goes(string request, string does) =>
        Assert.Equal($"{does}\nasked: {request}\n", Asked(folder => File.WriteAllText(Path.Combine(folder, request), "")));

    [InstalledTheory("/bin/sh")]
    [InlineData("shutdown")]
    [InlineData("factory-reset")]
    public void What_the_button_alone_may_ask_is_not_done_for_the_sensors_user(string request)
    {
        Assert.Equal($"<4>{request} was asked for by another than the panel; it is not done\n", Asked(folder => File.WriteAllText(Path.Combine(folder, request), ""), ofPanel: false));
        // Nor where the sensor's user gives the panel's own file that name, by a link of either kind.
        string panels = Path.Combine(_root, "panels");
        File.WriteAllText(panels, "");
        Assert.Contains("it is not done", Asked(folder => File.CreateSymbolicLink(Path.Combine(folder, request), panels)), StringComparison.Ordinal);
        Assert.Contains("it is not done", Asked(folder => Assert.Equal(0, Run("/bin/ln", panels, Path.Combine(folder, request)).Code)), StringComparison.Ordinal);
        Assert.Contains("it is not done", Asked(folder => Directory.CreateDirectory(Path.Combine(folder, request))), StringComparison.Ordinal);
        Assert.True(File.Exists(panels));
        Assert.False(File.Exists(Path.Combine(_root, "told")));
    }

    [InstalledTheory("/bin/sh")]
    [InlineData("shutdown")]
    [InlineData("factory-reset")]
    [InlineData("reboot")]
    public void A_machine_that_is_no_box_is_neither_switched_off_nor_emptied_by_what_runs_on_it(string request)
    {
        Assert.Contains("this machine is no appliance and has no panel enabled; it is not done", Asked(folder => File.WriteAllText(Path.Combine(folder, request), ""), isBox: false), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_root, "told")));
    }

    [InstalledTheory("/bin/sh")]
    [InlineData("reload", "--no-block reload nfr.service")]
    [InlineData("restart", "--no-block restart nfr.service")]
    [InlineData("upgrade-check", "--no-block start nfr-upgrade-check.service")]
    public void What_concerns_the_sensor_alone_its_own_user_may_ask_on_any_machine(string request, string does) =>
        Assert.Equal($"{does}\nasked: {request}\n", Asked(folder => File.WriteAllText(Path.Combine(folder, request), ""), ofPanel: false, isBox: false));

    /// <summary>The script of the factory reset in folders of its own, with a systemctl that writes down what it is told and refuses what it is to.</summary>
    (int Code, string Said, string Told) Reset(bool isImage, string refuses = "nothing")
    {
        string bin = Path.Combine(_root, "bin"), told = Path.Combine(_root, "told"), share = Path.Combine(_root, "share"), etc = Path.Combine(_root, "etc/nfr"), data = Path.Combine(_root, "var");
        foreach (string folder in new[] { bin, share, etc, data }) Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(bin, "systemctl"), $"#!/bin/sh\necho \"$*\" >> {told}\n[ \"$*\" != \"{refuses}\" ]\n");
        File.WriteAllText(Path.Combine(bin, "chown"), "#!/bin/sh\n");
        if (!OperatingSystem.IsWindows()) foreach (string tool in new[] { "systemctl", "chown" }) File.SetUnixFileMode(Path.Combine(bin, tool), (UnixFileMode)0b111_101_101);
        File.WriteAllText(Path.Combine(data, "spool"), "recorded");
        File.WriteAllText(Path.Combine(etc, "config.yml"), "owner's");
        File.WriteAllText(Path.Combine(share, "config.yml"), "shipped");
        if (isImage) File.WriteAllText(Path.Combine(share, "image.json"), "{}");
        string script = Path.Combine(_root, "reset");
        File.WriteAllText(script, $"PATH={bin}:$PATH\n" + File.ReadAllText(Path.Combine(Units, "../libexec/factory-reset"))
            .Replace("/usr/share/nfr", share, StringComparison.Ordinal).Replace("/etc/nfr", etc, StringComparison.Ordinal).Replace("/var/lib/nfr", data, StringComparison.Ordinal));
        (int code, string said) = Run("/bin/sh", script);
        return (code, said, File.ReadAllText(told));
    }

    [InstalledFact("/bin/sh")]
    public void On_an_image_the_wish_is_left_before_anything_is_stopped_and_without_it_nothing_is()
    {
        Assert.Equal((0, "start nfr-reset-wish.service\n--no-block reboot\n"), Reset(isImage: true) is var done ? (done.Code, done.Told) : default);
        File.Delete(Path.Combine(_root, "told"));
        (int code, string said, string told) = Reset(isImage: true, refuses: "start nfr-reset-wish.service");
        Assert.Equal((1, "start nfr-reset-wish.service\n"), (code, told));
        Assert.Contains("nothing was erased; the reason is in journalctl -u nfr-reset-wish", said, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_root, "var/spool")));
    }

    [InstalledFact("/bin/sh")]
    public void A_reset_that_breaks_off_on_a_debian_machine_says_so_and_leaves_no_sensor_stopped()
    {
        // There is no scope.yml to go back to: it fails behind the stop.
        (int code, string said, string told) = Reset(isImage: false);
        Assert.Equal((1, "stop nfr.service\n--no-block start nfr.service\n"), (code, told));
        Assert.Contains("did not come to an end", said, StringComparison.Ordinal);
        File.Delete(Path.Combine(_root, "told"));
        File.WriteAllText(Path.Combine(_root, "share/scope.yml"), "shipped");
        (code, said, told) = Reset(isImage: false);
        Assert.Equal((0, "stop nfr.service\n--no-block start nfr.service\n--no-block try-restart nfr-panel.service\n"), (code, told));
        Assert.Equal("shipped", File.ReadAllText(Path.Combine(_root, "etc/nfr/config.yml")));
        Assert.False(File.Exists(Path.Combine(_root, "var/spool")));
    }

    [InstalledFact("/bin/sh")]
    public void What_nobody_knows_is_removed_and_named_without_its_tricks()
    {
        string outside = Path.Combine(_root, "outside");
        File.WriteAllText(outside, "stays");
        string said = Asked(folder =>
        {
            File.WriteAllText(Path.Combine(folder, "-rf\n\u001b[31m$(reboot)"), "");
            File.WriteAllText(Path.Combine(folder, ".hidden"), "");
            Directory.CreateDirectory(Path.Combine(folder, "folder/with/more"));
            File.CreateSymbolicLink(Path.Combine(folder, "link"), outside);
            // A known name that leads elsewhere is asked for by its name and touches nothing behind it.
            File.CreateSymbolicLink(Path.Combine(folder, "reload"), outside);
        });
        Assert.Contains("nobody knows the request -rf???31m??reboot?; it is removed", said, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', said);
        Assert.DoesNotContain("--no-block reboot", said, StringComparison.Ordinal);
        Assert.Contains("asked: reload", said, StringComparison.Ordinal);
        Assert.Equal("stays", File.ReadAllText(outside));
    }
}
