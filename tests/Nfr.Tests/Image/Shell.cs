using System.Diagnostics;

namespace Nfr.Tests.Image;

/// <summary>Runs the image's own scripts on folders: they take the place of a card.</summary>
static class Shell
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static string Root { get; } = Path.GetDirectoryName(global::Nfr.Tests.Nfr.ConfigTests.Shipped("config.yml"))!;
    public static string Appliance(string file) => Path.Combine(Root, "image/appliance", file);
    public static string Scripts => Appliance("usr/lib/nfr");

    /// <summary>Runs a line of POSIX shell; the code and all that it printed.</summary>
    public static (int Code, string Text) Try(string line, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo("sh", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        // sfdisk and mke2fs lie there, which is not on everybody's path.
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin";
        start.Environment["LC_ALL"] = "C.UTF-8";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'{line}' did not end within {s_patience.TotalSeconds:0} s");
        }
        return (process.ExitCode, output.Result + error.Result);
    }

    public static string Run(string line, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        (int code, string text) = Try(line, environment);
        Assert.True(code == 0, $"'{line}' ended with {code}: {text}");
        return text.Trim();
    }
}
