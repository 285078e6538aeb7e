using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Nfr.Tests.Nfr;
using Nfr.Tests.Sensor;

namespace Nfr.Tests.Package;

/// <summary>The package as image/deb/package.sh makes it, of a program that is not there: files, owners, fields.</summary>
public sealed class DebTests : IDisposable
{
    const string Tool = "/usr/bin/dpkg-deb";

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-deb-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static string Run(string program, string[] arguments, string epoch = "1795345188")
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SOURCE_DATE_EPOCH"] = epoch;
        start.Environment["DOTNET_CLI_HOME"] = Path.GetTempPath();
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}\n{output}{error.Result}");
        return output;
    }

    string Make(string architecture, string version, string to)
    {
        string published = Path.Combine(_folder, "published");
        Directory.CreateDirectory(published);
        File.WriteAllText(Path.Combine(published, "nfr"), "not a program");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path.Combine(published, "nfr"), (UnixFileMode)0b111_101_101);
        return Run("/bin/bash", [Path.Combine(ConfigTests.Shipped("image"), "deb", "package.sh"), published, architecture, version, Path.Combine(_folder, to), NfrProcess.Dotnet, NfrProcess.Program]).Trim();
    }

    [InstalledFact(Tool)]
    public void The_package_has_what_it_should_under_the_right_owner_and_the_same_bytes_each_time()
    {
        string deb = Make("arm64", "2.0.0~verification", "one");
        Assert.Equal("nfr_2.0.0~verification_arm64.deb", Path.GetFileName(deb));
        string again = Make("arm64", "2.0.0~verification", "two");
        Assert.Equal(SHA256.HashData(File.ReadAllBytes(deb)), SHA256.HashData(File.ReadAllBytes(again)));
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(deb))), File.ReadAllText(deb + ".sha256"), StringComparison.Ordinal);

        string[] lines = Run(Tool, ["-c", deb]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Contains(" root/root ", line, StringComparison.Ordinal));
        string ModeOf(string path) => Assert.Single(lines, l => l.EndsWith(" ./" + path, StringComparison.Ordinal))[..10];
        Assert.Equal("-rwxr-xr-x", ModeOf("usr/bin/nfr"));
        // It may hold the engine's key: the package's own script gives it to the group.
        Assert.Equal("-rw-r-----", ModeOf("etc/nfr/config.yml"));
        Assert.All(Expected, path => ModeOf(path));

        string Field(string name) => Run(Tool, ["-f", deb, name]).Trim();
        Assert.Equal(["nfr", "2.0.0~verification", "arm64"], [Field("Package"), Field("Version"), Field("Architecture")]);
        // Of bookworm or of trixie, whichever is there.
        Assert.All(new[] { "libpcap0.8 | libpcap0.8t64", "libssl3 | libssl3t64", "libsqlite3-0", "libmosquitto1", "systemd" }, need => Assert.Contains(need, Field("Depends").Split(", ")));
        Run(Tool, ["-e", deb, Path.Combine(_folder, "control")]);
        Assert.Equal(["/etc/nfr/config.yml", "/etc/nfr/scope.yml"], File.ReadAllLines(Path.Combine(_folder, "control", "conffiles")));

        Run(Tool, ["-x", deb, Path.Combine(_folder, "out")]);
        using JsonDocument sbom = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "out/usr/share/doc/nfr/nfr.spdx.json")));
        Assert.Contains(sbom.RootElement.GetProperty("packages").EnumerateArray(), p => p.GetProperty("name").GetString() == "Microsoft.NETCore.App.Runtime.linux-arm64");
    }

    static IEnumerable<string> Expected =>
    [
        "etc/nfr/scope.yml", "etc/nfr/feeds/", "usr/share/nfr/config.yml", "usr/share/nfr/scope.yml",
        .. Directory.GetFiles(Path.Combine(ConfigTests.Shipped("image"), "systemd", "units")).Select(u => "lib/systemd/system/" + Path.GetFileName(u)),
        "lib/udev/rules.d/60-nfr-panel.rules", "usr/lib/sysusers.d/nfr.conf", "usr/lib/tmpfiles.d/nfr.conf", "usr/lib/nfr/requests", "usr/lib/nfr/factory-reset",
        "usr/share/bash-completion/completions/nfr", "usr/share/zsh/vendor-completions/_nfr", "usr/share/fish/vendor_completions.d/nfr.fish",
        "usr/share/man/man1/nfr.1.gz", "usr/share/man/man5/nfr-config.5.gz", "usr/share/doc/nfr/copyright", "usr/share/doc/nfr/changelog.gz", "usr/share/doc/nfr/nfr.spdx.json",
    ];
}
