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

    static readonly Option<bool> s_sbom = new("--sbom") { Description = "List what is in this program, as SPDX 2.3 JSON." };

    /// <summary>For the package of another processor, which cannot be asked here.</summary>
    static readonly Option<string?> s_rid = new("--rid") { Hidden = true };

    /// <summary>Built on a stand-in for the official runtime, where that is not to be had: good for tests, not for a customer's box.</summary>
    public static bool VerificationBuild { get; } = MarksVerification(typeof(VersionText).Assembly);

    public override bool ClearsParseErrors => true;

    public static Command Build() => new NfrCommand("version", "Show the version.")
    {
        Options = { s_sbom, s_rid },
        Action = new VersionText(),
        Examples = [("version --sbom > nfr.spdx.json", "The packages, the runtime and the libraries behind this program.")],
    };

    public override int Invoke(ParseResult parseResult)
    {
        if (parseResult.GetValue(s_sbom))
        {
            parseResult.InvocationConfiguration.Output.Write(System.Text.Encoding.UTF8.GetString(Sbom.Write(parseResult.GetValue(s_rid))));
            return ExitCode.Good;
        }
        parseResult.InvocationConfiguration.Output.WriteLine(Text(VerificationBuild));
        return ExitCode.Good;
    }

    /// <summary>The line that is shown: first word, second word and version are what programs read.</summary>
    internal static string Text(bool verification) => "nfr version " + Version + (verification ? " (verification build: not for shipping)" : "");

    internal static bool MarksVerification(Assembly assembly) =>
        assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Any(mark => mark.Key == "VerificationBuild" && mark.Value == "true");
}
