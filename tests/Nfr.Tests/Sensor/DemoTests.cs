using System.Text.Json;
using Nfr.Demo;

namespace Nfr.Tests.Sensor;

/// <summary>The first command of a newcomer.</summary>
public sealed class DemoTests
{
    [DemoFact]
    public void The_demo_finds_everything_and_accounts_for_every_frame()
    {
        using NfrProcess demo = NfrProcess.Start(["demo", "--once", "--seconds", "40"]);
        Ended end = demo.End(TimeSpan.FromSeconds(120));
        Assert.True(end.Code == 0, $"{end.Code}\n{end.Output}\n{end.Error}");
        Assert.Empty(end.Error);
        string[] threats = [.. end.Output.Split('\n').Where(line => line.StartsWith('{'))
            .SelectMany(line => JsonDocument.Parse(line).RootElement.GetProperty("threats").EnumerateObject().Select(threat => threat.Name)).Distinct()];
        Assert.True(threats.Length >= Suspect.All.Count, string.Join(", ", threats));
        Assert.Contains($"{Suspect.All.Count} of {Suspect.All.Count} misbehaving hosts detected, ", end.Output, StringComparison.Ordinal);
        Assert.Contains("; the ledger closes.", end.Output, StringComparison.Ordinal);
        // What the mirror port sent is what the sensor saw.
        Assert.Matches("The mirror port sent ([0-9]+) frames .* the sensor saw \\1, every one\\.", end.Output);
    }
}

/// <summary>A test of the demo; skipped where no private network can be made, by root or through a user namespace.</summary>
sealed class DemoFactAttribute : FactAttribute
{
    public DemoFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "needs Linux";
        else if (!NetworkTools.MayUnshare(["--net"]) && !NetworkTools.MayUnshare(["--user", "--map-root-user", "--net"]))
            Skip = "no private network can be made here, neither by root nor through a user namespace";
    }
}
