using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace Nfr.Tests.Image;

/// <summary>The image's boot test takes many minutes and is no part of these tests; what of it needs no machine has tests of its own, in its own language.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class BootTestTests(ITestOutputHelper output)
{
    [Fact]
    public void Firmware_display_device_tree_and_traffic_of_the_boot_test_are_right_by_its_own_tests()
    {
        if (Shell.Try("command -v python3").Code != 0) { output.WriteLine("skipped: there is no python3"); return; }
        (int code, string text) = Shell.Try($"cd '{Path.Combine(Shell.Root, "image/boottest")}' && PYTHONDONTWRITEBYTECODE=1 python3 -m unittest tests");
        Assert.True(code == 0, text);
        Assert.True(int.Parse(Ran().Match(text).Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) >= 14, text);
    }

    [GeneratedRegex(@"Ran (\d+) tests")]
    private static partial Regex Ran();
}
