using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace Nfr.Commands;

/// <summary>"nfr version".</summary>
sealed class VersionText : SynchronousCommandLineAction
{
    /// <summary>Such as 2.0.0; without the commit that the build appends.</summary>
    public static string Version { get; } =
        typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    public override bool ClearsParseErrors => true;

    public static Command Build() => new NfrCommand("version", "Show the version.") { Action = new VersionText() };

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine("nfr version " + Version);
        return ExitCode.Good;
    }
}
