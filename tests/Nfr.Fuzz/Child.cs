using System.Diagnostics;

namespace Nfr.Fuzz;

/// <summary>The instrumented copy, as a process of its own: what even a handler cannot catch (a stack overflow) ends that one only.</summary>
static class Child
{
    static readonly Lazy<string> s_folder = new(() =>
    {
        string folder = Directory.CreateTempSubdirectory("nfr-fuzz-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // A temporary folder: the system clears it.
            }
        };
        Instrumenter.Run(AppContext.BaseDirectory, folder);
        return folder;
    });

    /// <summary>The checkout that this was built from.</summary>
    public static string Root
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) return folder.FullName;
            }
            throw new DirectoryNotFoundException("Nfr.slnx: run this from the checkout that it was built from");
        }
    }

    public static (int ExitCode, List<string> Lines) Run(string[] arguments, Action<string>? show = null)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // Runs are counted, not tiers: everything is compiled once and well.
        start.Environment["DOTNET_TieredCompilation"] = "0";
        foreach (string argument in (string[])[Path.Combine(s_folder.Value, "Nfr.Fuzz.dll"), .. arguments, "--instrumented", "--root", Root]) start.ArgumentList.Add(argument);
        var lines = new List<string>();
        using Process process = Process.Start(start)!;
        void Take(string? line)
        {
            if (line is null) return;
            lock (lines) lines.Add(line);
            show?.Invoke(line);
        }
        process.OutputDataReceived += (_, e) => Take(e.Data);
        process.ErrorDataReceived += (_, e) => Take(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return (process.ExitCode, lines);
    }
}
