using BenchmarkDotNet.Running;

namespace Nfr.Bench;

static class MicroBenches
{
    /// <summary>Arguments are BenchmarkDotNet's own, as in: --filter '*Frame*'.</summary>
    public static int Run(string[] args)
    {
        BenchmarkSwitcher.FromAssembly(typeof(MicroBenches).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args);
        return 0;
    }
}
