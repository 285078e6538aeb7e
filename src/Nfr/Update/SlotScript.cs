using System.ComponentModel;
using System.Diagnostics;

namespace Nfr.Update;

/// <summary>Other programs of the image that an update calls, each with its time: the script that knows how this board chooses a slot, and systemctl.</summary>
static class SlotScript
{
    public const string DefaultPath = "/usr/lib/nfr/nfr-slot";
    /// <summary>Of one call. The script touches a few small files; a card in trouble takes long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    const int MostSaid = 4096;

    /// <summary>What it printed, trimmed.</summary>
    /// <exception cref="UpdateException">It is not there, failed, or did not end in time (then it was ended).</exception>
    public static string Call(string file, TimeSpan patience, params ReadOnlySpan<string> arguments)
    {
        string line = $"{file} {string.Join(' ', arguments!)}";
        var start = new ProcessStartInfo(file) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> output = ReadAsync(process.StandardOutput), error = ReadAsync(process.StandardError);
            if (!process.WaitForExit(patience))
            {
                process.Kill(entireProcessTree: true);
                throw new UpdateException($"{line} did not end within {patience.TotalSeconds:0} s and was ended");
            }
            // A child that it left behind may hold the pipes open.
            Task.WaitAll([output, error], patience);
            string said = output.IsCompletedSuccessfully ? output.Result.Trim() : "", complaint = error.IsCompletedSuccessfully ? error.Result.Trim() : "";
            return process.ExitCode == 0 ? said : throw new UpdateException($"{line} failed with {process.ExitCode}{(complaint.Length > 0 ? $": {complaint.ReplaceLineEndings(" ")}" : "")}");
        }
        catch (Win32Exception e)
        {
            throw new UpdateException($"{line} cannot be run: {e.Message}");
        }
    }

    /// <summary>To its end, so that the writer never waits; kept is the beginning.</summary>
    static async Task<string> ReadAsync(StreamReader from)
    {
        char[] all = new char[MostSaid], rest = new char[1024];
        int length = await from.ReadBlockAsync(all);
        while (await from.ReadAsync(rest) > 0)
        {
        }
        return new string(all, 0, length);
    }
}
