using System.Runtime.Versioning;
using System.Text;

namespace Nfr.Tests.Image;

/// <summary>The card's texts: in which encoding they come, what of them is erased and shown to be, and when the card is mounted.</summary>
[SupportedOSPlatform("linux")]
public sealed class SettingsCardTests : SettingsBed
{
    const string Key = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void A_file_saved_as_utf_16_is_understood_and_made_utf_8_with_its_secrets_erased(bool big, bool mark)
    {
        var encoding = new UnicodeEncoding(big, mark);
        byte[] raw = [.. encoding.GetPreamble(), .. encoding.GetBytes($"# Höhe 9 🙂\r\nname = hall-3\r\nengine.url = https://engine.example.net\r\nengine.key = {Key}\r\nsite = works\r\n")];
        File.WriteAllBytes(At("card/nfr.txt"), raw);
        Start();
        Assert.Empty(Faults);
        Assert.Equal(Key, Read("data/settings/taken/engine.key"));
        byte[] now = File.ReadAllBytes(At("card/nfr.txt"));
        string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(now);
        Assert.StartsWith("# Höhe 9 🙂\r\nname = hall-3\r\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\r\nsite = works\r\n", text, StringComparison.Ordinal);
        Assert.Contains("# engine.key was taken over", text, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789", Encoding.Latin1.GetString(now).Replace("\0", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("nfr.txt is UTF-8 now", Read("card/nfr.txt.report"), StringComparison.Ordinal);
        // As any other from now on.
        Start();
        Assert.Empty(Faults);
        Assert.Equal(now, File.ReadAllBytes(At("card/nfr.txt")));
    }

    [Fact]
    public void A_rewriting_that_power_cut_off_is_done_at_the_next_start()
    {
        byte[] utf16 = Encoding.Unicode.GetBytes($"name = hall-3\r\nsite = works\r\nengine.url = https://e.example\r\nengine.key = {Key}\r\n");
        byte[] utf8 = Encoding.UTF8.GetBytes("name = hall-3\r\n");
        // The first block is new, the rest is not.
        File.WriteAllBytes(At("card/nfr.txt"), [.. utf8, .. utf16.Skip(utf8.Length * 2)]);
        Start();
        Assert.Empty(Faults);
        Assert.Equal(Key, Read("data/settings/taken/engine.key"));
        Assert.DoesNotContain("0123456789", Text.Replace("\0", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.StartsWith("name = hall-3\r\nsite = works\r\n", Text, StringComparison.Ordinal);
    }

    [Fact]
    public void With_nothing_but_memory_for_data_a_file_in_utf_16_stays_as_it_is()
    {
        File.WriteAllText(At("run/nfr-boot/data-lost"), "the data partition cannot be mounted\n");
        byte[] raw = [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes($"engine.url = https://e.example\nengine.key = {Key}\n")];
        File.WriteAllBytes(At("card/nfr.txt"), raw);
        Start();
        Assert.Equal(raw, File.ReadAllBytes(At("card/nfr.txt")));
        Assert.Contains($"api_key: \"{Key}\"", Config, StringComparison.Ordinal);
    }

    /// <summary>A program of the box that does something else; before all others on the path.</summary>
    string Instead(string name, string script)
    {
        Directory.CreateDirectory(At("bin"));
        File.WriteAllText(At("bin/" + name), "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(At("bin/" + name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return $"PATH={At("bin")}:$PATH sh {Shell.Scripts}/settings";
    }

    [Fact]
    public void A_secret_that_is_still_on_the_card_is_told_whatever_the_writing_said()
    {
        Text = $"engine.url = https://e.example\nengine.key = {Key}\n";
        // A card that takes everything and keeps nothing.
        Shell.Run(Instead("dd", "exit 0"), ("NFR_ROOT", At("")), ("NFR_CONTROL", At("card")), ("NFR_CHECK", "true"));
        Assert.Equal("engine.key was taken over and could not be erased from the card; erase it from nfr.txt yourself", Assert.Single(Faults));
        Start();
        Assert.Empty(Faults);
        Assert.DoesNotContain("0123456789", Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_card_is_mounted_while_it_is_read_and_while_the_report_is_written_and_not_while_the_sensor_is_asked()
    {
        File.WriteAllText(At("run/nfr-boot/control"), "/dev/none");
        Directory.CreateDirectory(At("run/nfr-boot/control.mount"));
        File.WriteAllText(At("run/nfr-boot/control.mount/nfr.txt"), "name = hall-3\n");
        string log = At("log"), line = Instead("mount", $"echo mount >> {log}");
        Instead("umount", $"echo umount >> {log}");
        Shell.Run(line, ("NFR_ROOT", At("")), ("NFR_CHECK", Checker($"echo asked >> {log}")));
        Assert.Equal(["mount", "umount", "asked", "mount", "umount"], File.ReadAllLines(log));
        Assert.Contains("name = hall-3", Read("run/nfr-boot/control.mount/nfr.txt.report"), StringComparison.Ordinal);
        // Nothing new to say: it is not even mounted for it, and the sensor that has said yes is not asked again.
        File.Delete(log);
        Shell.Run(line, ("NFR_ROOT", At("")), ("NFR_CHECK", Checker($"echo asked >> {log}")));
        Assert.Equal(["mount", "umount"], File.ReadAllLines(log));
    }

    [Theory]
    [InlineData("engine.url", "https://engine.example.net", true)]
    [InlineData("engine.url", "http://engine:8080/a/b", true)]
    [InlineData("engine.url", "https://192.0.2.1:8443", true)]
    [InlineData("engine.url", "https://[2001:db8::1]:8443", true)]
    [InlineData("engine.url", "https://[2001:db8::1]", true)]
    [InlineData("engine.url", "https://[::ffff:192.0.2.1]/x", true)]
    [InlineData("engine.url", "https://a[::1]:1", false)]
    [InlineData("engine.url", "https://[2001:db8:::1]:8443", false)]
    [InlineData("engine.url", "https://[2001:db8::1", false)]
    [InlineData("engine.url", "https://2001:db8::1", false)]
    [InlineData("engine.url", "https://[]:1", false)]
    [InlineData("engine.url", "https://[1.2.3.4]:1", false)]
    [InlineData("engine.url", "https://engine:0", false)]
    [InlineData("engine.url", "https://engine:65536", false)]
    [InlineData("engine.url", "https://engine:", false)]
    [InlineData("engine.url", "https://192.0.2.300", false)]
    [InlineData("engine.url", "https://:443", false)]
    [InlineData("engine.url", "https://", false)]
    [InlineData("engine.url", "httpss://engine", false)]
    [InlineData("update.url", "https://[2001:db8::1]:8443/nfr/latest.nfru.head", true)]
    [InlineData("update.url", "https://a[::1]:1/x", false)]
    [InlineData("broker", "mqtts://broker.example.net:8883", true)]
    [InlineData("broker", "mqtt://broker/", true)]
    [InlineData("broker", "mqtts://[2001:db8::1]:8883", true)]
    [InlineData("broker", "mqtts://[2001:db8::1]", true)]
    [InlineData("broker", "mqtts://broker/topic", false)]
    [InlineData("broker", "mqtts://x[::1]", false)]
    [InlineData("broker", "https://broker", false)]
    public void An_address_is_taken_or_refused_as_the_sensor_would(string name, string value, bool good)
    {
        (int code, string said) = Shell.Try($". {Shell.Scripts}/settings-checks.sh; check {name} '{value}'");
        Assert.Equal((good, good), (code == 0, said.Length == 0));
        // And the sensor's own reader is of one mind with what passes.
        if (!good) return;
        Assert.Empty(After(name == "broker" ? $"broker = {value}\n" : $"{name} = {value}\n"));
        AssertTheSensorTakesIt();
    }
}
