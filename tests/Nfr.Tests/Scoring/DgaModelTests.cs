using System.Diagnostics;
using System.Text;
using Nfr.Scoring.Names;
using Nfr.Train.Data;
using Nfr.Train.Evaluation;
using Nfr.Train.Training;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

public sealed class DgaModelTests(ITestOutputHelper output)
{
    static DgaScore Score(string label, string suffix) => DgaModel.Shipped.Score(Encoding.UTF8.GetBytes(label), Encoding.ASCII.GetBytes(suffix));

    /// <summary>Odds in 1/1024 and 1/256: whole numbers, so that every machine has these very ones.</summary>
    [Theory]
    [InlineData("google", "com", -13242, -1644)]
    [InlineData("weather-online", "co.uk", -11435, -970)]
    [InlineData("x7kqzvwjph", "com", 5483, 1524)]
    [InlineData("qwertyuiop123", "biz", 1536, 672)]
    [InlineData("3f9a0b7c12de44", "net", 5675, 656)]
    [InlineData("quietsister", "net", 7866, 914)]
    [InlineData("mzqkxvjw", "duckdns.org", 9964, 1862)]
    [InlineData("A1B2C3D4E5", "XYZ", -1925, -261)]
    public void The_score_of_a_name_is_the_same_to_the_bit(string label, string suffix, int name, int letters) =>
        Assert.Equal((name / 1024.0, letters / 256.0), (Score(label, suffix).Name, Score(label, suffix).Letters));

    [Fact]
    public void Case_does_not_matter() => Assert.Equal(Score("Weather-Online", "Co.UK"), Score("weather-online", "co.uk"));

    [Fact]
    public void Hostile_names_are_scored_like_others()
    {
        Assert.True(double.IsFinite(Score("", "").Name));
        Assert.Equal(Score(new string('a', 63), "com"), Score(new string('a', 1000), "com"));
        Assert.True(double.IsFinite(Score("ünïcödé☃" + new string('☃', 300), new string('.', 255)).Letters));
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        Assert.True(double.IsFinite(DgaModel.Shipped.Score(all, all).Name));
        var random = new Random(9);
        byte[] bytes = new byte[300];
        for (int i = 0; i < 2000; i++)
        {
            random.NextBytes(bytes);
            int cut = random.Next(bytes.Length);
            Assert.True(double.IsFinite(DgaModel.Shipped.Score(bytes.AsSpan(0, cut), bytes.AsSpan(cut)).Name));
        }
    }

    [Fact]
    public void A_name_costs_no_memory_and_little_time()
    {
        byte[][] labels = [.. Enumerable.Range(1, 63).Select(n => Encoding.ASCII.GetBytes(Simulated.Letters(new Random(n), n)))];
        double sum = 0, best = double.MaxValue;
        for (int i = 0; i < 3000; i++) sum += DgaModel.Shipped.Score(labels[i % 63], "com"u8).Name;
        Assert.Equal(0, Allocation.Least(() =>
        {
            // The best of many short stretches: the rest of the machine is busy with other tests.
            for (int stretch = 0; stretch < 100; stretch++)
            {
                long start = Stopwatch.GetTimestamp();
                for (int i = 0; i < 63; i++) sum += DgaModel.Shipped.Score(labels[i], "com"u8).Name;
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMicroseconds / 63);
            }
        }));
        int bytes = DgaModel.ReadResource().Length + NameModel.TableLength + WordFilter.TableLength;
        output.WriteLine($"{best:0.0} us a name of 1 to 63 letters; {bytes} bytes of model ({sum:0})");
        Assert.True(best < 40);
        Assert.InRange(bytes, 1, 1 << 20);
    }

    [Fact]
    public void A_model_that_was_cut_or_bent_is_refused()
    {
        byte[] file = DgaModel.ReadResource();
        for (int length = 0; length < file.Length; length += 997) Assert.Throws<InvalidDataException>(() => new DgaModel(file.AsSpan(0, length), NameModel.Shipped));
        var random = new Random(4);
        for (int i = 0; i < 300; i++)
        {
            byte[] bent = [.. file];
            // The trees lie at the end: a walk through bent ones ends, or they are not taken.
            for (int k = 0; k < 20; k++) bent[file.Length - 1 - random.Next(50_000)] = (byte)random.Next(256);
            try
            {
                Assert.True(double.IsFinite(new DgaModel(bent, NameModel.Shipped).Score("example"u8, "com"u8).Name));
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void Names_kept_out_of_training_are_told_apart()
    {
        if (!ScoringCorpus.TryPath("dga/dga.tsv", output, out string path)) return;
        List<DgaRow> rows = DgaRows.Read(Path.Combine(Path.GetDirectoryName(path)!, ".."), PublicSuffixList.Shipped);
        double Of(DgaRow row) => DgaModel.Shipped.Score(row.Label, row.Suffix).Name;
        var roc = new Roc(rows.Where(r => !r.IsBad && (!r.MayTrain || r.Held)).Select(r => (Of(r), r.MayTrain ? 8.0 : 1)), rows.Where(r => r.IsBad && r.Held).Select(Of));
        output.WriteLine($"AUC {roc.Auc:0.0000}, recall at 1e-2 {roc.RecallAt(1e-2):0.000}, 1e-3 {roc.RecallAt(1e-3):0.000}, 1e-4 {roc.RecallAt(1e-4):0.000}");
        Assert.True(roc.Auc > 0.9945);
        Assert.True(roc.RecallAt(1e-3) > 0.76);
        Assert.True(roc.RecallAt(1e-4) > 0.42);
    }

    [Fact]
    public void Training_twice_gives_the_same_bytes()
    {
        if (!ScoringCorpus.TryPath("dga/dga.tsv", output, out string path)) return;
        List<DgaRow> rows = [.. DgaRows.Read(Path.Combine(Path.GetDirectoryName(path)!, ".."), PublicSuffixList.Shipped).Where(r => r.MayTrain).Where((_, i) => i % 60 == 0)];
        string[] words = ["quiet", "sister", "harbor", "copper", "morning", "stone", "bottle", "window"];
        byte[] one = DgaTrainer.Train(rows, words, trees: 5), two = DgaTrainer.Train(rows, words, trees: 5);
        Assert.True(one.AsSpan().SequenceEqual(two));
        Assert.True(new DgaModel(one, NameModel.Shipped).Score("x7kqzvwjph"u8, "biz"u8).Letters > new DgaModel(one, NameModel.Shipped).Score("weather"u8, "com"u8).Letters);
    }
}
