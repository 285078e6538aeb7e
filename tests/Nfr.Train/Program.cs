using System.Diagnostics;
using Nfr.Train.Data;
using Nfr.Train.Evaluation;

// evaluate [NAME...] [--out FILE.md] [--data FOLDER]   one section a detector; plots beside the file, in a folder of its name
return args is ["evaluate", ..] ? Evaluate(args[1..]) : Usage();

static int Usage()
{
    Console.Error.WriteLine($"Nfr.Train evaluate [{string.Join(' ', Evaluations.All.Select(e => e.Name))}] [--out artifacts/evaluation.md] [--data FOLDER]");
    return 2;
}

static string? Option(List<string> rest, string name)
{
    int at = rest.IndexOf(name);
    if (at < 0 || at + 1 >= rest.Count) return null;
    string value = rest[at + 1];
    rest.RemoveRange(at, 2);
    return value;
}

static int Evaluate(string[] arguments)
{
    List<string> names = [.. arguments];
    string file = Path.GetFullPath(Option(names, "--out") ?? "artifacts/evaluation.md");
    string data = Option(names, "--data") ?? ScoringData.DefaultFolder;
    if (names.Find(name => Evaluations.All.All(e => e.Name != name)) is { } unknown)
    {
        Console.Error.WriteLine($"There is no section \"{unknown}\".");
        return Usage();
    }
    string folder = Path.ChangeExtension(file, null);
    Directory.CreateDirectory(Path.GetDirectoryName(file)!);
    using var report = new StreamWriter(file);
    report.Write("# How well the detectors see\n\n");
    if (!Directory.Exists(data))
    {
        Console.WriteLine($"The data sets are not at {data}: nothing was measured.");
        report.Write("The data sets are not here: nothing was measured.\n");
        return 0;
    }
    foreach (IEvaluation evaluation in Evaluations.All)
    {
        if (names.Count > 0 && !names.Contains(evaluation.Name)) continue;
        long start = Stopwatch.GetTimestamp();
        var output = new EvaluationOutput(data, folder, Path.GetFileName(folder));
        evaluation.Run(output);
        report.Write(output.Markdown);
        Console.WriteLine($"{evaluation.Name}: {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
    }
    Console.WriteLine($"Written to {file}");
    return 0;
}
