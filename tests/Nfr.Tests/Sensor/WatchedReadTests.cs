using System.Text.RegularExpressions;

namespace Nfr.Tests.Sensor;

/// <summary>What "nfr read" draws for whoever sits before a terminal, and that it draws nothing for others.</summary>
public sealed class WatchedReadTests : IDisposable
{
    const int Lines = 60_000;

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-watched-").FullName;

    public WatchedReadTests()
    {
        File.WriteAllText(In("config.yml"), "");
        File.WriteAllLines(In("eve.json"), Enumerable.Range(0, Lines).Select(i => ReadLogTests.Flow(i).TrimEnd()));
    }

    string In(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Reads on a terminal of its own; what it prints is taken by nobody until the file "go" is there, so that it is as slow as the test wants.</summary>
    NfrProcess Read(string file, string before = "", bool onTerminal = true)
    {
        string line = $"{before}{NfrProcess.Dotnet} {NfrProcess.Program} read -c {In("config.yml")} -f suricata --print events {file} | (until [ -e {In("go")} ]; do sleep 0.1; done; cat > {In("events")})";
        string[] shell = onTerminal ? ["env", "TERM=xterm", "script", "-qec", line, "/dev/null"] : ["sh", "-c", line];
        return NfrProcess.StartAs(shell, _folder);
    }

    void Ends(NfrProcess read)
    {
        File.WriteAllText(In("go"), "");
        Assert.Equal(0, read.End().Code);
        Assert.Equal(Lines, File.ReadLines(In("events")).Count());
    }

    /// <summary>Without colours and other control sequences (ECMA-48, CSI).</summary>
    static string Plain(NfrProcess read) => Regex.Replace(read.Output, @"\x1b\[[0-9;?]*[A-Za-z]", "");

    [Fact]
    public void A_terminal_sees_how_much_of_a_log_is_read()
    {
        using NfrProcess read = Read(In("eve.json"));
        read.Until(() => Regex.IsMatch(Plain(read), @"reading.* [1-9]\d?%.* \d+\.\d/1\d\.\d MB"), "a bar with per cent and bytes");
        Ends(read);
    }

    [Fact]
    public void Of_standard_input_it_sees_lines_and_their_rate()
    {
        using NfrProcess read = Read("-", $"cat {In("eve.json")} | ");
        read.Until(() => Regex.IsMatch(Plain(read), @"reading: \d+(\.\d)? \w+, [1-9][\d,]+ lines, [\d,]+ lines/s"), "lines");
        Ends(read);
        Assert.DoesNotContain("%", read.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_else_gets_a_bar()
    {
        using NfrProcess read = Read(In("eve.json"), onTerminal: false);
        // As long as a bar would take to come, and some more.
        Thread.Sleep(3000);
        Ends(read);
        Assert.Equal(("", ""), (read.Output, read.Error));
    }
}
