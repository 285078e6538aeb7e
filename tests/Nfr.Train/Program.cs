using System.Diagnostics;
using Nfr.Scoring.Names;
using Nfr.Train.Data;
using Nfr.Train.Evaluation;
using Nfr.Train.Training;

// train [--data FOLDER] [--words FILE] [--out FILE]    makes the model of made-up names (minutes)
// suffixes [--data FOLDER] [--out FILE]                packs the Public Suffix List that ships
// score [FILE]                                         scores names, one a line, by the model that ships
// evaluate [NAME...] [--out FILE.md] [--data FOLDER]   one section a detector; plots beside the file, in a folder of its name
return args switch
{
    ["evaluate", ..] => Evaluate(args[1..]),
    ["train", ..] => Train(args[1..]),
    ["suffixes", ..] => Suffixes(args[1..]),
    ["score", ..] => Score(args[1..]),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("Nfr.Train train [--data FOLDER] [--words /usr/share/dict/american-english] [--out src/Nfr.Scoring/Models/dga.bin]");
    Console.Error.WriteLine("Nfr.Train suffixes [--data FOLDER] [--out src/Nfr.Scoring/Models/public_suffix_list.gz]");
    Console.Error.WriteLine("Nfr.Train score [FILE]");
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

static int Train(string[] arguments)
{
    List<string> rest = [.. arguments];
    string data = Option(rest, "--data") ?? ScoringData.DefaultFolder;
    string file = Option(rest, "--out") ?? Path.Combine(ScoringData.ProjectFolder ?? ".", "src/Nfr.Scoring/Models/dga.bin");
    string words = Option(rest, "--words") ?? GeneratedNames.WordsFile;
    if (!File.Exists(words))
    {
        Console.Error.WriteLine($"The word list {words} is missing: install the package wamerican, or name the list by --words FILE.");
        return 1;
    }
    long start = Stopwatch.GetTimestamp();
    List<DgaRow> rows = [.. DgaRows.Read(data, PublicSuffixList.Shipped).Where(row => row.MayTrain && !row.Held)];
    byte[] model = DgaTrainer.Train(rows, GeneratedNames.Words(words));
    File.WriteAllBytes(file, model);
    Console.WriteLine($"{rows.Count(r => r.IsBad)} made-up and {rows.Count(r => !r.IsBad)} good names; {model.Length} bytes in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s: {file}");
    return 0;
}

static int Suffixes(string[] arguments)
{
    List<string> rest = [.. arguments];
    string from = Path.Combine(Option(rest, "--data") ?? ScoringData.DefaultFolder, "ref", "public_suffix_list.dat");
    string file = Option(rest, "--out") ?? Path.Combine(ScoringData.ProjectFolder ?? ".", "src/Nfr.Scoring/Models/public_suffix_list.gz");
    // The licence's notice stays at the head; of the rest only the rules are kept, as they are written, and the marks of the two sections.
    string[] lines = File.ReadAllLines(from);
    string[] kept = [.. lines.TakeWhile(line => line.StartsWith("//", StringComparison.Ordinal)), .. lines.Where(line => line.Length > 0 && (!line.StartsWith("//", StringComparison.Ordinal) || line.Contains("===", StringComparison.Ordinal)))];
    using (var packed = new System.IO.Compression.GZipStream(File.Create(file), System.IO.Compression.CompressionLevel.SmallestSize))
        packed.Write(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', kept) + "\n"));
    Console.WriteLine($"{kept.Length} lines, {new FileInfo(file).Length} bytes: {file}");
    return 0;
}

static int Score(string[] arguments)
{
    TextReader names = arguments is [string file] ? File.OpenText(file) : Console.In;
    Console.WriteLine("name\tregistered\tname_odds\tletter_odds");
    while (names.ReadLine() is { } line)
    {
        byte[] name = System.Text.Encoding.UTF8.GetBytes(line.Split('\t')[0].Trim().TrimEnd('.'));
        int at = PublicSuffixList.Shipped.RegisteredStart(name, out _, out int suffix);
        if (suffix <= at) continue;
        DgaScore score = DgaModel.Shipped.Score(name.AsSpan(at..(suffix - 1)), name.AsSpan(suffix));
        Console.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{line}\t{System.Text.Encoding.UTF8.GetString(name.AsSpan(at))}\t{score.Name:0.0000}\t{score.Letters:0.0000}"));
    }
    return 0;
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
    var sections = new System.Text.StringBuilder();
    var goals = new List<Goal>();
    foreach (IEvaluation evaluation in Evaluations.All)
    {
        if (names.Count > 0 && !names.Contains(evaluation.Name)) continue;
        long start = Stopwatch.GetTimestamp();
        var output = new EvaluationOutput(data, folder, Path.GetFileName(folder), evaluation.Name);
        evaluation.Run(output);
        sections.Append(output.Markdown);
        goals.AddRange(output.Goals);
        Console.WriteLine($"{evaluation.Name}: {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
    }
    var summary = new EvaluationOutput(data, folder, Path.GetFileName(folder), "");
    summary.Line($"Of {goals.Count(g => g.Met is not null)} goals {goals.Count(g => g.Met == true)} are met. Each line is measured again by `./build.sh --target=Evaluate --section=SECTION`.");
    summary.Table(["section", "detector", "goal", "figure", "met", "measured on"], goals.Select(g => new[] { g.Section, g.Detector, g.Wanted, g.Figure, g.Met switch { true => "yes", false => "**no**", _ => "" }, g.Data }));
    report.Write(summary.Markdown);
    report.Write(sections);
    Console.WriteLine($"Written to {file}");
    return 0;
}
