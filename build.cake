// The build. Targets: Build, Test, FaultsLong, Bench, Evaluate, Publish, Hardware, Demo, Clean. Run it by ./build.sh --target=X.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Xml.Linq;

var target = Argument("target", "Build");
var rid = Argument("rid", "linux-x64");
var configuration = Argument("configuration", "Release");
var filter = Argument("filter", "");
var isCi = HasEnvironmentVariable("CI");
var solution = "Nfr.slnx";
var artifacts = "artifacts";
var results = $"{artifacts}/test-results";

// What the process ends with, and the line that it ends with: known only after the targets have run.
var exitCode = 0;
var lastLine = "";

void Say(string line) => Console.WriteLine(line);

int Try(string tool, params string[] arguments)
{
    var start = new ProcessStartInfo(tool) { UseShellExecute = false };
    foreach (var argument in arguments) start.ArgumentList.Add(argument);
    using var process = Process.Start(start)!;
    process.WaitForExit();
    return process.ExitCode;
}

string Output(string tool, params string[] arguments)
{
    var start = new ProcessStartInfo(tool) { UseShellExecute = false, RedirectStandardOutput = true };
    foreach (var argument in arguments) start.ArgumentList.Add(argument);
    using var process = Process.Start(start)!;
    var output = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    return output;
}

void Dotnet(params string[] arguments)
{
    var code = Try("dotnet", arguments);
    if (code != 0) throw new CakeException(code, $"dotnet {string.Join(' ', arguments)} ended with {code}: see the lines above");
}

string Seconds(Stopwatch clock) => $"{clock.Elapsed.TotalSeconds:0.0} s";

Task("Clean").Does(() =>
{
    foreach (var folder in GetDirectories("src/**/bin") + GetDirectories("src/**/obj") + GetDirectories("tests/**/bin") + GetDirectories("tests/**/obj"))
        if (DirectoryExists(folder)) DeleteDirectory(folder, new DeleteDirectorySettings { Recursive = true, Force = true });
    if (DirectoryExists(artifacts)) DeleteDirectory(artifacts, new DeleteDirectorySettings { Recursive = true, Force = true });
    Say("Cleaned");
});

Task("Restore").Does(() =>
{
    Say("Restoring packages");
    // In CI the lock files are law: a package that differs from them is an error, not an update.
    if (isCi) Dotnet("restore", solution, "-v", "quiet", "--locked-mode");
    else Dotnet("restore", solution, "-v", "quiet");
});

Task("Build").IsDependentOn("Restore").Does(() =>
{
    var clock = Stopwatch.StartNew();
    Say($"Building {configuration}");
    Dotnet("build", solution, "-c", configuration, "--no-restore", "-v", "quiet", "-nologo", "-clp:NoSummary");
    Say($"Built in {Seconds(clock)}");
});

Task("Test").IsDependentOn("Build").Does(() =>
{
    if (DirectoryExists(results)) DeleteDirectory(results, new DeleteDirectorySettings { Recursive = true, Force = true });
    int passed = 0, failed = 0, skipped = 0, broken = 0;
    foreach (var project in GetFiles("tests/*/*.csproj").OrderBy(p => p.FullPath, StringComparer.Ordinal))
    {
        if (!System.IO.File.ReadAllText(project.FullPath).Contains("<IsTestProject>true<")) continue;
        var name = project.GetFilenameWithoutExtension().ToString();
        var folder = $"{results}/{name}";
        var clock = Stopwatch.StartNew();
        Say($"Testing {name}");
        var arguments = new List<string> { "test", project.FullPath, "-c", configuration, "--no-build", "-v", "quiet", "-nologo",
            "--logger", "trx;LogFileName=results.trx", "--logger", "console;verbosity=quiet", "--results-directory", folder };
        if (filter != "") arguments.AddRange(["--filter", filter]);
        var code = Try("dotnet", arguments.ToArray());

        var files = GetFiles($"{folder}/**/*.trx");
        var outcomes = files.SelectMany(file => XDocument.Load(file.FullPath).Descendants().Where(e => e.Name.LocalName == "UnitTestResult")).ToList();
        int projectPassed = 0, projectFailed = 0, projectSkipped = 0;
        foreach (var outcome in outcomes)
        {
            switch ((string)outcome.Attribute("outcome"))
            {
                case "Passed": projectPassed++; break;
                case "NotExecuted": projectSkipped++; break;
                default:
                    projectFailed++;
                    Say($"  FAILED {(string)outcome.Attribute("testName")}");
                    foreach (var part in outcome.Descendants().Where(e => e.Name.LocalName is "Message" or "StackTrace"))
                        Say("    " + part.Value.Trim().ReplaceLineEndings("\n    "));
                    break;
            }
        }
        // A run that failed without a failed test (a crash of the host, a time-out) is a failure by itself.
        if (code != 0 && projectFailed == 0) { broken++; Say($"  FAILED {name}: the test run itself ended with {code}"); }
        Say($"  {name}: {projectPassed} passed, {projectFailed} failed, {projectSkipped} skipped in {Seconds(clock)}");
        passed += projectPassed; failed += projectFailed; skipped += projectSkipped;
    }
    failed += broken;
    if (passed + failed == 0) Say("No test ran.");
    exitCode = failed > 0 || passed == 0 ? 1 : 0;
    lastLine = $"{passed} passed, {failed} failed" + (skipped > 0 ? $", {skipped} skipped" : "");
});

// The long tier of the fault tests, about two hours; --filter= chooses among them.
Task("FaultsLong").IsDependentOn("Restore").Does(() =>
{
    Environment.SetEnvironmentVariable("NFR_FAULTS", "long");
    var arguments = new List<string> { "test", "tests/Nfr.Faults", "-c", configuration, "--no-restore", "-nologo", "--logger", "console;verbosity=detailed" };
    if (filter != "") arguments.AddRange(["--filter", filter]);
    exitCode = Try("dotnet", arguments.ToArray());
});

Task("Bench").IsDependentOn("Restore").Does(() =>
{
    var arguments = new List<string> { "run", "--project", "tests/Nfr.Bench", "-c", configuration, "--no-restore" };
    var bench = Argument("bench", "");
    if (bench != "") { arguments.Add("--"); arguments.AddRange(bench.Split(' ', StringSplitOptions.RemoveEmptyEntries)); }
    exitCode = Try("dotnet", arguments.ToArray());
});

// The quality report from the data sets beside the project; without them it says so. --section=dga measures one detector.
Task("Evaluate").IsDependentOn("Restore").Does(() =>
{
    var arguments = new List<string> { "run", "--project", "tests/Nfr.Train", "-c", configuration, "--no-restore", "--", "evaluate", "--out", $"{artifacts}/evaluation.md" };
    arguments.AddRange(Argument("section", "").Split(' ', StringSplitOptions.RemoveEmptyEntries));
    exitCode = Try("dotnet", arguments.ToArray());
});

Task("Publish").Does(() =>
{
    var clock = Stopwatch.StartNew();
    var output = $"{artifacts}/nfr-{rid}";
    if (DirectoryExists(output)) DeleteDirectory(output, new DeleteDirectorySettings { Recursive = true, Force = true });
    Say($"Publishing {output}");
    var arguments = new List<string> { "publish", "src/Nfr", "-c", configuration, "-r", rid, "--self-contained", "-o", output, "-v", "quiet", "-nologo",
        // Warnings are errors here, those of the trimmer among them; each is shown by itself.
        "-p:PublishTrimmed=true", "-p:PublishSingleFile=true", "-p:PublishReadyToRun=true", "-p:TrimmerSingleWarn=false", "-p:DebugType=none" };
    // A restore for one machine would write itself into the lock files of the libraries: it gets lock files of its own, out of the way.
    arguments.Add($"-p:NuGetLockFilePath=obj/packages.{rid}.lock.json");
    Dotnet(arguments.ToArray());
    foreach (var file in new[] { "config.yml", "scope.yml", "LICENSE", "CHANGELOG.md" })
        if (FileExists(file)) CopyFile(file, $"{output}/{file}");

    var binary = $"{output}/nfr";
    Say($"Published {binary}, {new System.IO.FileInfo(binary).Length / 1048576.0:0.0} MB, in {Seconds(clock)}");
    if (rid != RuntimeInformation.RuntimeIdentifier && rid != $"linux-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}") return;
    if (Try(binary, "version") != 0) throw new CakeException("the published file does not run 'version'");
    if (FileExists("config.yml") && Try(binary, "config", "check", "-c", "config.yml") != 0)
        throw new CakeException("the published file does not run 'config check' on the shipped config.yml");
    foreach (var capture in GetFiles("tests/captures/*.pcap").OrderBy(f => f.FullPath, StringComparer.Ordinal))
        if (Output(binary, "read", "--print", "events", capture.FullPath) != System.IO.File.ReadAllText(capture.ChangeExtension("events.jsonl").FullPath))
            throw new CakeException($"the published file does not read the expected events from {capture}");
    Say("Smoke run passed");
});

Task("Demo").Does(() =>
{
    Say("Building the sensor");
    Dotnet("build", "src/Nfr", "-c", configuration, "-v", "quiet", "-nologo", "-clp:NoSummary");
    var arguments = new List<string> { "demo" };
    if (FileExists("config.yml")) arguments.AddRange(["--config", "config.yml"]);
    if (Console.IsOutputRedirected || HasArgument("once")) arguments.Add("--once");
    if (HasArgument("seconds")) arguments.AddRange(["--seconds", Argument<string>("seconds")]);
    // The exit code of the demo is the exit code of the build.
    exitCode = Try($"src/Nfr/bin/{configuration}/net10.0/nfr", arguments.ToArray());
});

// The device-tree overlay of lights, button and display, and whether it fits the boards whose trees are at hand (of a kernel package installed or unpacked here).
Task("Hardware").Does(() =>
{
    var output = $"{artifacts}/hardware";
    EnsureDirectoryExists(output);
    var overlay = $"{output}/nfr-panel.dtbo";
    if (Try("dtc", "-@", "-I", "dts", "-O", "dtb", "-o", overlay, "hardware/nfr-panel-overlay.dts") != 0) throw new CakeException("dtc refuses hardware/nfr-panel-overlay.dts");
    Say($"Compiled {overlay}");
    var folders = new[] { "/usr/lib", "/boot", artifacts }.Where(System.IO.Directory.Exists);
    var look = new System.IO.EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 8 };
    var trees = folders.SelectMany(f => System.IO.Directory.EnumerateFiles(f, "bcm2*-rpi-*.dtb", look)).GroupBy(System.IO.Path.GetFileName).Select(g => g.First()).Order(StringComparer.Ordinal).ToList();
    if (trees.Count == 0) Say("No board's device tree is at hand (linux-image-arm64), so it was applied to none");
    foreach (var tree in trees)
    {
        var board = System.IO.Path.GetFileNameWithoutExtension(tree);
        // Upstream's tree of the 5 has no header before its RP1 is driven: nothing to hang a panel on.
        if (board.StartsWith("bcm2712") && !System.Text.Encoding.Latin1.GetString(System.IO.File.ReadAllBytes(tree)).Contains("rp1")) Say($"  {board}: left out, this kernel has no RP1 and so no header");
        else if (Try("fdtoverlay", "-i", tree, "-o", $"{output}/{board}.dtb", overlay) != 0) throw new CakeException($"the overlay does not fit {tree}");
        else Say($"  {board}: fits");
    }
});

RunTarget(target);
if (lastLine != "") Say(lastLine);
Console.Out.Flush();
if (exitCode != 0) Environment.Exit(exitCode);
