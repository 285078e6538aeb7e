using Nfr.Commands;

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
                Read = (run, _, _) => run.Terminal.Fail(ExitCode.Failed, "read is not wired yet in this build; wait for the next one"),
                Start = (run, _, _) => run.Terminal.Fail(ExitCode.Failed, "start is not wired yet in this build; wait for the next one"),
                Account = engine => NotWired(engine),
            });
        }
        catch (Exception fault)
        {
            // Our own mistake: one line to act on; the whole story on request.
            bool tell = Environment.GetEnvironmentVariable("NFR_TRACE") is "1";
            string message = tell ? fault.ToString() : $"{fault.GetType().Name}: {fault.Message.ReplaceLineEndings(" ")}";
            return terminal.Fail(ExitCode.Failed, $"a mistake in nfr itself: {message}; {(tell ? "please report it" : "please report it with the output under NFR_TRACE=1")}");
        }
    }

    static AccountApi NotWired(string engine)
    {
        string error = $"the engine client for {engine} is not wired yet in this build";
        return new AccountApi
        {
            RequestKey = _ => new(null, error),
            Register = (_, _, _) => new(null, error),
            Reset = (_, _) => new(null, error),
            Status = (_, _) => new(null, error),
        };
    }
}
