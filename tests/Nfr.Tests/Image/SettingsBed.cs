using System.Runtime.Versioning;
using System.Text;
using Nfr.Config;

namespace Nfr.Tests.Image;

/// <summary>A card and a box in folders, and the script of the image run on them.</summary>
[SupportedOSPlatform("linux")]
public abstract class SettingsBed : IDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("nfr-settings-").FullName;

    protected SettingsBed()
    {
        foreach (string folder in new[] { "card", "run/nfr-boot", "data", "usr/share/nfr", "usr/share/zoneinfo/Europe", "sys/class/net" }) Directory.CreateDirectory(At(folder));
        File.WriteAllText(At("usr/share/zoneinfo/Europe/Berlin"), "");
        File.Copy(Path.Combine(Shell.Root, "config.yml"), At("usr/share/nfr/config.yml"));
        File.Copy(Path.Combine(Shell.Root, "scope.yml"), At("usr/share/nfr/scope.yml"));
        Port("end0", "platform/fd580000.ethernet");
        Port("enx001122334455", "platform/fd500000.pcie/usb1/1-1/1-1.4/1-1.4:1.0");
    }

    public void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected string At(string path) => Path.Combine(_root, path);
    private protected string Read(string path) => File.ReadAllText(At(path));
    private protected string Config => Read("data/settings/nfr/config.yml");
    private protected string[] Faults => File.ReadAllLines(At("run/nfr-boot/faults"));
    private protected string Text { get => Read("card/nfr.txt"); set => File.WriteAllText(At("card/nfr.txt"), value); }

    private protected void Port(string name, string device, string? mac = null, string? driver = null)
    {
        Directory.CreateDirectory(At("sys/class/net/" + name));
        Directory.CreateDirectory(At("sys/devices/" + device));
        File.WriteAllText(At($"sys/class/net/{name}/type"), "1\n");
        if (mac is not null) File.WriteAllText(At($"sys/class/net/{name}/address"), mac + "\n");
        // Last: without it the port is none yet.
        if (driver is not null) File.CreateSymbolicLink(At($"sys/devices/{device}/driver"), At("sys/bus/usb/drivers/" + driver));
        File.CreateSymbolicLink(At($"sys/class/net/{name}/device"), At("sys/devices/" + device));
    }

    private protected void NoPort(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            File.Delete(At($"sys/devices/{Path.GetRelativePath(At("sys/devices"), new FileInfo(At($"sys/class/net/{name}/device")).LinkTarget!)}/driver"));
            Directory.Delete(At("sys/class/net/" + name), recursive: true);
        }
    }

    /// <param name="checker">What stands for "nfr config check": by default it takes everything.</param>
    private protected string Start(string checker = "true", params ReadOnlySpan<(string, string)> more) =>
        Shell.Run($"sh {Shell.Scripts}/settings", [("NFR_ROOT", _root), ("NFR_CONTROL", At("card")), ("NFR_CHECK", checker), .. more]);

    /// <summary>A program that stands for the sensor; its fourth argument is the config.</summary>
    private protected string Checker(string script)
    {
        string checker = At("checker");
        File.WriteAllText(checker, "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(checker, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return checker;
    }

    private protected string[] After(string text)
    {
        Text = text;
        Start();
        return Faults;
    }

    /// <summary>By the sensor's own reader: a config that it refuses is a box that does not record.</summary>
    private protected void AssertTheSensorTakesIt()
    {
        Assert.NotNull(NfrConfig.Parse("/etc/nfr/config.yml", Encoding.UTF8.GetBytes(Config), out IReadOnlyList<ConfigFault> faults));
        Assert.Empty(faults);
    }

    /// <summary>A folder in the way of the file that is written first stands for a data partition that takes nothing.</summary>
    private protected void Full(string file) => Directory.CreateDirectory(At($"data/settings/{file}.new/x"));

    private protected void Pem(string name, string kind) => File.WriteAllText(At("card/" + name), $"-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n");
}
