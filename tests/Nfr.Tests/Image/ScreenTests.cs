namespace Nfr.Tests.Image;

/// <summary>What a screen and a serial line show, by the script that writes it; a file is the terminal.</summary>
public sealed class ScreenTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-screen-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string In(string name) => Path.Combine(_folder, name);

    string Look(string consoles, string screen)
    {
        File.WriteAllText(In("active"), consoles + "\n");
        return Shell.Run($"sh {Shell.Scripts}/screen", ("NFR_RUN", _folder), ("NFR_ONCE", "1"), ("NFR_SCREEN", screen), ("NFR_CONSOLES", In("active")));
    }

    [Fact]
    public void A_screen_shows_what_the_serial_line_does_with_what_is_to_be_mended()
    {
        File.WriteAllText(In("slot"), "b\n");
        File.WriteAllText(In("faults"), "nfr.txt line 3: nobody knows the name\n");
        File.WriteAllText(In("notes"), "the data partition could not be mounted\n");
        string serial = Look("tty0 ttyS1", In("tty1"));
        Assert.Contains("NETWORK FLIGHT RECORDER", serial, StringComparison.Ordinal);
        Assert.Contains("slot b", serial, StringComparison.Ordinal);
        Assert.Contains("- nfr.txt line 3: nobody knows the name", serial, StringComparison.Ordinal);
        Assert.Contains("- the data partition could not be mounted", serial, StringComparison.Ordinal);
        Assert.Equal(serial, File.ReadAllText(In("tty1")).Trim());
    }

    [Fact]
    public void A_backslash_in_what_is_to_be_mended_is_shown_as_it_is()
    {
        File.WriteAllText(In("faults"), "no time zone \"a\\cb\\033[31m\\nc\"\nand another\n");
        string serial = Look("tty0 ttyS1", In("tty1"));
        Assert.Contains("  - no time zone \"a\\cb\\033[31m\\nc\"\n  - and another", serial, StringComparison.Ordinal);
    }

    [Fact]
    public void A_screen_that_is_the_console_itself_is_not_written_twice()
    {
        Look("ttyS1 tty0", In("tty1"));
        Assert.False(File.Exists(In("tty1")));
    }

    [Fact]
    public void A_terminal_that_takes_nothing_holds_nobody_up()
    {
        Shell.Run($"mkfifo {In("stopped")}");
        // Opening a pipe that nobody reads waits for ever, as writing to a terminal that was stopped does; the shell's own patience is half a minute.
        Assert.Contains("NETWORK FLIGHT RECORDER", Look("tty0 ttyS1", In("stopped")), StringComparison.Ordinal);
        Assert.Contains("NETWORK FLIGHT RECORDER", Look("tty0 ttyS1", In("no/such/terminal")), StringComparison.Ordinal);
    }

    /// <summary>What a config names must be in Debian's packages: "right/UTC" was not.</summary>
    [Fact]
    public void The_time_services_leap_seconds_come_from_a_file_that_debian_has()
    {
        string[] lines = File.ReadAllLines(Shell.Appliance("etc/chrony/chrony.conf"));
        Assert.Contains("leapseclist /usr/share/zoneinfo/leap-seconds.list", lines);
        Assert.DoesNotContain(lines, l => l.StartsWith("leapsectz", StringComparison.Ordinal));
    }

    [Fact]
    public void The_list_of_what_starts_names_units_that_there_are()
    {
        string[] ours = [.. new[] { Shell.Appliance("usr/lib/systemd/system"), Path.Combine(Shell.Root, "image/systemd/units") }.SelectMany(Directory.GetFiles).Select(f => Path.GetFileName(f)!)];
        foreach (string line in File.ReadAllLines(Shell.Appliance("etc/systemd/system-preset/00-nfr.preset")).Where(l => l.Contains(" nfr", StringComparison.Ordinal)))
        {
            string pattern = line.Split(' ')[1];
            Assert.True(ours.Any(unit => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, unit)), $"{line}: there is no such unit");
        }
    }
}
