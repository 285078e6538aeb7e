using Nfr.Faults.Fleet;
using Nfr.Faults.Kill;
using Nfr.Faults.Outputs;

namespace Nfr.Faults;

/// <summary>The tests' own entry, for children that are meant to die: <c>dotnet exec Nfr.Faults.dll sensor …</c>. The test runner never comes here.</summary>
static class Program
{
    static async Task<int> Main(string[] args)
    {
        if (args is ["sensor", ..]) return await SmallSensor.RunAsync(args[1..]);
        if (args is ["outputs", ..]) return await ManyOutputs.RunAsync(args[1..]);
        if (args is ["fleet", ..]) return LinkChild.Run(args[1..]);
        Console.Error.WriteLine("usage: Nfr.Faults sensor DIRECTORY ENGINE LIFE FLUSH-EVENTS load|drain, or: Nfr.Faults outputs DIRECTORY RECEIVER LIFE load|drain, or: Nfr.Faults fleet PORT ROOTS");
        return 2;
    }
}
