// The build. Targets: Build, Test, FaultsLong, Bench, Evaluate, Publish, Package, Hardware, Image, ImageTest, Demo, Clean. Run it by ./build.sh --target=X.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Xml.Linq;

var target = Argument("target", "Build");
var rid = Argument("rid", target.StartsWith("Image") ? "linux-arm64" : "linux-x64");
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

string Output(string tool, params string[] arguments) => Run(tool, arguments).Text;

(int Code, string Text) Run(string tool, params string[] arguments)
{
    var start = new ProcessStartInfo(tool) { UseShellExecute = false, RedirectStandardOutput = true };
    foreach (var argument in arguments) start.ArgumentList.Add(argument);
    using var process = Process.Start(start)!;
    var output = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    return (process.ExitCode, output);
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

// When the sources were committed, for the SBOM and the package: the one time that two builds of a commit have in common.
string[] CommitTime()
{
    var epoch = EnvironmentVariable("SOURCE_DATE_EPOCH") ?? (DirectoryExists(".git") || FileExists(".git") ? Output("git", "log", "-1", "--format=%ct").Trim() : "");
    return epoch == "" ? [] : [$"-p:SourceCommitTime={epoch}"];
}

// Where Publish put the program: the folder says so when it is a build that must not be shipped.
var published = "";

// The runtime packs of another processor are packages of their own, and not every package source carries those of arm64.
bool OfficialPacksRestore()
{
    var said = new System.Text.StringBuilder();
    var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true };
    foreach (var argument in new[] { "restore", "src/Nfr", "-r", rid, "-v", "quiet", "-nologo", "--artifacts-path", $"{artifacts}/probe-{rid}",
        "-p:SelfContained=true", "-p:PublishReadyToRun=true", "-p:PublishTrimmed=true", $"-p:NuGetLockFilePath=obj/packages.probe.{rid}.lock.json" })
        start.ArgumentList.Add(argument);
    using var process = Process.Start(start)!;
    process.OutputDataReceived += (_, line) => { if (line.Data != null) lock (said) said.AppendLine(line.Data); };
    process.BeginOutputReadLine();
    process.WaitForExit();
    if (process.ExitCode == 0) return true;
    // NU1101 and NU1102: no such package, no such version. Anything else (no network, a broken project) is not "absent".
    var lines = said.ToString();
    foreach (var pack in new[] { "Microsoft.NETCore.App.Runtime", "Microsoft.AspNetCore.App.Runtime", "Microsoft.NETCore.App.Host" })
        if (System.Text.RegularExpressions.Regex.IsMatch(lines, $@"NU110[12]: .*{System.Text.RegularExpressions.Regex.Escape($"{pack}.{rid}")}\b")) return false;
    throw new CakeException($"dotnet restore for {rid} failed, and not for want of a runtime pack:\n{lines}");
}

// Stand-ins for the packs that are not to be had, in a folder and a package cache of their own: nothing of them ever meets another build.
string VerificationFeed()
{
    var folder = $"{artifacts}/verification-{rid}";
    var script = "../shared/arm64/make-pack.sh";
    var remedy = $"To publish for {rid}, restore from a package source that carries Microsoft.NETCore.App.Runtime.{rid} (the public NuGet gallery does), or publish on a machine of that kind.";
    if (rid != "linux-arm64" || !FileExists(script))
        throw new CakeException($"The official runtime pack of {rid} is in none of the package sources, and {script}, which builds a stand-in for linux-arm64, is not there. {remedy}");
    foreach (var tool in new[] { "npm", "python3" })
        if (Try("sh", "-c", $"command -v {tool} >/dev/null") != 0)
            throw new CakeException($"The official runtime pack of {rid} is in none of the package sources, and the stand-in cannot be built without {tool}: install it. {remedy}");
    var sdk = Output("dotnet", "--version").Trim();
    var stamp = $"{folder}/made-by";
    if (FileExists(stamp) && System.IO.File.ReadAllText(stamp) == sdk) return folder;
    Say($"Building the verification pack with SDK {sdk}");
    if (DirectoryExists(folder)) DeleteDirectory(folder, new DeleteDirectorySettings { Recursive = true, Force = true });
    // It is made outside of this folder, whose Directory.*.props are for our own projects.
    var workshop = System.IO.Directory.CreateTempSubdirectory("nfr-pack-").FullName;
    try
    {
        if (Try("bash", script, workshop) != 0) throw new CakeException($"{script} failed: see the lines above, or run it by itself with 'bash -x'. {remedy}");
        CopyDirectory($"{workshop}/feed", $"{folder}/feed");
    }
    finally { DeleteDirectory(workshop, new DeleteDirectorySettings { Recursive = true, Force = true }); }
    System.IO.File.WriteAllText(stamp, sdk);
    return folder;
}

// Runs the published program on this machine, or under an emulator of the other processor; null where there is none.
Func<string[], (int Code, string Text)> Runner(string binary)
{
    if (rid == $"linux-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}") return arguments => Run(binary, arguments);
    if (rid != "linux-arm64") return null;
    if (Try("image/emulator.sh", "program", $"{artifacts}/emulator") != 0) return null;
    var sysroot = System.IO.Path.GetFullPath($"{artifacts}/emulator/sysroot");
    return arguments => Run($"{artifacts}/emulator/qemu-aarch64", ["-L", sysroot, binary, .. arguments]);
}

Task("Publish").Does(() =>
{
    var clock = Stopwatch.StartNew();
    var arguments = new List<string> { "publish", "src/Nfr", "-c", configuration, "-r", rid, "--self-contained", "-v", "quiet", "-nologo",
        // Warnings are errors here, those of the trimmer among them; each is shown by itself.
        "-p:PublishTrimmed=true", "-p:PublishSingleFile=true", "-p:PublishReadyToRun=true", "-p:TrimmerSingleWarn=false", "-p:DebugType=none",
        // The other analyzers have their say in Build; here they would double the time.
        "-p:RunAnalyzers=false" };
    published = $"{artifacts}/nfr-{rid}";
    if (rid != "linux-x64" && !OfficialPacksRestore())
    {
        Say($"The official runtime packs of {rid} are in none of the package sources. This is a VERIFICATION BUILD: our code on a stand-in runtime. It is not for shipping.");
        var folder = System.IO.Path.GetFullPath(VerificationFeed());
        published += "-verification";
        arguments.AddRange(["-p:VerificationBuild=true", $"-p:RestoreAdditionalProjectSources={folder}/feed", $"-p:RestorePackagesPath={folder}/packages",
            "--artifacts-path", $"{folder}/obj"]);
    }
    if (DirectoryExists(published)) DeleteDirectory(published, new DeleteDirectorySettings { Recursive = true, Force = true });
    Say($"Publishing {published}");
    // A restore for one machine would write itself into the lock files of the libraries: it gets lock files of its own, out of the way.
    arguments.AddRange(["-o", published, $"-p:NuGetLockFilePath=obj/packages.{published.Split('/')[^1]}.lock.json"]);
    arguments.AddRange(CommitTime());
    Dotnet(arguments.ToArray());
    foreach (var file in new[] { "config.yml", "scope.yml", "LICENSE", "CHANGELOG.md" })
        if (FileExists(file)) CopyFile(file, $"{published}/{file}");

    var binary = $"{published}/nfr";
    Say($"Published {binary}, {new System.IO.FileInfo(binary).Length / 1048576.0:0.0} MB, in {Seconds(clock)}");
    var run = Runner(binary);
    if (run == null) { Say($"Not run: this machine neither is {rid} nor could get an emulator of it"); return; }
    clock.Restart();
    var (code, version) = run(["version"]);
    Console.Write(version);
    if (code != 0 || !version.StartsWith("nfr version ")) throw new CakeException("the published file does not run 'version'");
    if (published.EndsWith("-verification") != version.Contains("verification build: not for shipping")) throw new CakeException("'version' does not say which kind of build this is");
    if (FileExists("config.yml") && run(["config", "check", "-c", "config.yml"]).Code != 0)
        throw new CakeException("the published file does not run 'config check' on the shipped config.yml");
    var captures = GetFiles("tests/captures/*.pcap").OrderBy(f => f.FullPath, StringComparer.Ordinal).ToList();
    foreach (var capture in captures)
        if (run(["read", "--print", "events", capture.FullPath]).Text != System.IO.File.ReadAllText(capture.ChangeExtension("events.jsonl").FullPath))
            throw new CakeException($"the published file does not read the expected events from {capture}");
    Say($"Smoke run passed: the events of {captures.Count} {(captures.Count == 1 ? "capture" : "captures")}, in {Seconds(clock)}");
});

// A .deb of what was published, for Debian and its children: the same bytes for the same commit.
Task("Package").IsDependentOn("Publish").Does(() =>
{
    var clock = Stopwatch.StartNew();
    var architecture = rid switch { "linux-x64" => "amd64", "linux-arm64" => "arm64", _ => throw new CakeException($"no package is made for {rid}: linux-x64 and linux-arm64 are") };
    // A build on a stand-in runtime is older than the release it stands for.
    var version = XDocument.Load("Directory.Build.props").Descendants("Version").First().Value + (published.EndsWith("-verification") ? "~verification" : "");
    var arguments = new List<string> { "image/deb/package.sh", published, architecture, version, artifacts };
    if (rid != $"linux-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}")
    {
        // Completions, manual and SBOM are written by the program, and that one is for another processor. Its analyzers have their say in Build.
        Dotnet(["build", "src/Nfr", "-c", configuration, "-p:RunAnalyzers=false", "-v", "quiet", "-nologo", "-clp:NoSummary", .. CommitTime()]);
        arguments.AddRange(["dotnet", $"src/Nfr/bin/{configuration}/net10.0/nfr.dll"]);
    }
    if (Try("bash", arguments.ToArray()) != 0) throw new CakeException("image/deb/package.sh failed: see the lines above");
    Say($"Packaged {artifacts}/nfr_{version}_{architecture}.deb in {Seconds(clock)}");
});

// The SD image for the Pi, of the arm64 package; --deb=FILE takes a package that is there, --again composes twice and compares, --fast packs nothing, --keys=DIR has the public keys for updates.
var image = Task("Image").Does(() =>
{
    var version = XDocument.Load("Directory.Build.props").Descendants("Version").First().Value;
    var deb = Argument("deb", "");
    // The newest: Package has just written it.
    if (deb == "") deb = GetFiles($"{artifacts}/nfr_*_arm64.deb").OrderByDescending(f => System.IO.File.GetLastWriteTimeUtc(f.FullPath)).Select(f => f.FullPath).FirstOrDefault() ?? "";
    var arguments = new List<string> { "image/make.sh", "--deb", deb, "--version", version, "--out", $"{artifacts}/image" };
    // A program on a stand-in runtime makes an image that is not for shipping either.
    if (deb.Contains("verification")) arguments.AddRange(["--mark", "verification"]);
    if (Argument("keys", "") is { Length: > 0 } keys) arguments.AddRange(["--keys", keys]);
    if (HasArgument("again")) arguments.Add("--again");
    if (HasArgument("fast")) arguments.Add("--fast");
    if (Try("bash", arguments.ToArray()) != 0) throw new CakeException("image/make.sh failed: see the lines above");
});
if (target == "Image" && !HasArgument("deb")) image.IsDependentOn("Package");

// Boots the image that --target=Image made in an emulated machine and checks what issue and README promise: an hour and a half. --only=NAME,… chooses checks
// (image/boottest/checks), --image=FILE another image.
Task("ImageTest").Does(() =>
{
    var file = Argument("image", GetFiles($"{artifacts}/image/nfr-*-arm64.img").OrderByDescending(f => System.IO.File.GetLastWriteTimeUtc(f.FullPath)).Select(f => f.FullPath).FirstOrDefault() ?? "");
    if (file == "" || !FileExists(file)) throw new CakeException($"there is no image {(file == "" ? $"in {artifacts}/image" : file)}: run './build.sh --target=Image' first");
    Dotnet("build", "src/Nfr", "-c", configuration, "-p:RunAnalyzers=false", "-v", "quiet", "-nologo", "-clp:NoSummary");
    var tools = Output("bash", "image/tools.sh").Trim();
    if (!DirectoryExists(tools)) throw new CakeException("image/tools.sh could not prepare the image's tools: see the lines above");
    if (Try("image/emulator.sh", "machine", $"{artifacts}/emulator") != 0) throw new CakeException("image/emulator.sh could not prepare the emulated machine: see the lines above");
    // The image's own key for development; an image for release has other keys, and then the tests of updates need --key.
    var key = Argument("key", tools.Replace("/tools-build/nfr-bin", "") + "/development-key/development.p8");
    // A network of its own: nothing of the test is to be seen by this machine's, and the names of its cables are free.
    exitCode = Try("unshare", "--net", "--", "python3", "image/boottest/run.py", "--image", file, "--tools", $"{artifacts}/emulator/bin:{tools}",
        "--nfr", $"src/Nfr/bin/{configuration}/net10.0/nfr", "--key", key, "--logs", $"{artifacts}/image-test", "--only", Argument("only", ""));
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
