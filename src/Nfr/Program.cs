using Nfr.Commands;
using Nfr.Pipeline;

namespace Nfr;

static class Program
{
    static int Main(string[] arguments)
    {
        Terminal terminal = Terminal.OfProcess();
        try
        {
            return CommandLine.Run(arguments, terminal, new Wiring
            {
                Read = ReadRun.Run,
                Start = SensorRun.Run,
                Account = AccountLink.Of,
            });
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException && Environment.GetEnvironmentVariable("NFR_TRACE") is not "1")
        {
            // The world's: a stdout that is closed or full, a disk. Where it is met often it has a line of its own.
            return terminal.Fail(ExitCode.Failed, $"reading or writing failed: {Config.Reason.Of(fault)}; NFR_TRACE=1 tells where");
        }
        catch (Exception fault)
        {
            // Our own mistake: one line to act on; the whole story on request.
            bool tell = Environment.GetEnvironmentVariable("NFR_TRACE") is "1";
            string message = tell ? fault.ToString() : $"{fault.GetType().Name}: {fault.Message.ReplaceLineEndings(" ")}";
            return terminal.Fail(ExitCode.Failed, $"a mistake in nfr itself: {message}; {(tell ? "please report it" : "please report it with the output under NFR_TRACE=1")}");
        }
    }
}
