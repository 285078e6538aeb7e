using System.Diagnostics;
using Nfr.Native;

namespace Nfr.Demo;

/// <summary>The few things the demo asks of iproute2 and util-linux.</summary>
static class NetworkTools
{
    /// <summary>Runs lines of <c>ip</c> commands; null, or the first complaint.</summary>
    public static async Task<string?> IpAsync(params string[] commands)
    {
        using Process? ip = Start("ip", ["-batch", "-"], redirectInput: true);
        if (ip is null) return "ip: not found; install iproute2";
        try
        {
            foreach (string command in commands) await ip.StandardInput.WriteLineAsync(command).ConfigureAwait(false);
            ip.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended at an earlier line; its complaint is below.
        }
        string complaint = await ip.StandardError.ReadToEndAsync().ConfigureAwait(false);
        await ip.WaitForExitAsync().ConfigureAwait(false);
        return ip.ExitCode == 0 ? null : $"ip: {complaint.Trim().Split('\n')[0]}";
    }

    /// <summary>Whether <c>unshare</c> with these arguments is allowed here.</summary>
    public static bool MayUnshare(IReadOnlyList<string> arguments)
    {
        using Process? probe = Start("unshare", [.. arguments, "true"], redirectInput: false);
        if (probe is null) return false;
        _ = probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }

    /// <summary>
    /// Makes a link's frames look like those on a cable and keeps it from speaking by itself; null, or why not.
    /// </summary>
    public static string? MakePlain(string interfaceName, bool silent)
    {
        if (silent)
        {
            try
            {
                File.WriteAllText($"/proc/sys/net/ipv6/conf/{interfaceName}/disable_ipv6", "1");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // No IPv6 in this kernel, or /proc/sys is read-only: "addrgenmode none" has been set as well.
            }
        }
        return Ethtool.DisableOffloads(interfaceName);
    }

    /// <summary>How to start this program again: its file, and before the arguments the library when it runs as <c>dotnet nfr.dll</c>.</summary>
    public static string[] Self()
    {
        string path = Environment.ProcessPath ?? throw new InvalidOperationException("this process has no path");
        return Path.GetFileNameWithoutExtension(path) == "dotnet" ? [path, Path.Combine(AppContext.BaseDirectory, "nfr.dll")] : [path];
    }

    static Process? Start(string tool, string[] arguments, bool redirectInput)
    {
        var start = new ProcessStartInfo(tool) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardInput = redirectInput, RedirectStandardOutput = false };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
