using System.Text;
using Nfr.Scoring.Names;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

public sealed class NameModelTests(ITestOutputHelper output)
{
    static double Bits(string label) => NameModel.Shipped.BitsPerCharacter(Encoding.ASCII.GetBytes(label));

    [Fact]
    public void The_shipped_model_is_what_the_training_data_gives()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        var labels = new List<string>();
        foreach (string[] row in ScoringCorpus.Rows(path))
        {
            if (row.Length > 2 && row[2].Length > 0 || !NameModelTraining.MayTrain(row[1])) continue;
            string label = row[0][..Math.Max(0, row[0].IndexOf('.', StringComparison.Ordinal))];
            if (label.Length > 0 && !label.StartsWith("xn--", StringComparison.Ordinal)) labels.Add(label);
        }
        byte[] cells = NameModelTraining.Train(labels);
        output.WriteLine($"{labels.Count} labels");
        if (Environment.GetEnvironmentVariable("NFR_WRITE_MODEL") is { Length: > 0 } target) File.WriteAllBytes(Path.Combine(ScoringCorpus.ProjectFolder!, target), cells);
        else Assert.True(cells.AsSpan().SequenceEqual(NameModel.Shipped.Cells));
    }

    [Fact]
    public void Random_letters_cost_more_bits_than_names()
    {
        Assert.True(Bits("googleapis") < 4);
        Assert.True(Bits("weather-online") < 4);
        Assert.True(Bits("xkq7vjwzph") > 5.5);
        Assert.True(Bits("q9zxw4kfj2") > 5.5);
    }

    [Fact]
    public void An_empty_label_has_no_bits_and_odd_bytes_do_no_harm()
    {
        Assert.Equal(0, NameModel.Shipped.BitsPerCharacter(default));
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        Assert.InRange(NameModel.Shipped.BitsPerCharacter(all), 1, 16);
    }

    [Fact]
    public void Names_of_lists_that_were_not_trained_on_lie_well_below_random_ones()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        var bits = new List<double>();
        foreach (string[] row in ScoringCorpus.Rows(path))
        {
            if (row.Length > 2 && row[2].Length > 0 || NameModelTraining.MayTrain(row[1])) continue;
            string label = row[0][..row[0].IndexOf('.', StringComparison.Ordinal)];
            if (label.Length >= 6) bits.Add(Bits(label));
        }
        var random = new Random(7);
        var made = new List<double>();
        for (int i = 0; i < 5000; i++) made.Add(Bits(Simulated.DgaLabel(random, 7 + (i % 4))));
        bits.Sort();
        made.Sort();
        output.WriteLine($"names not trained on: n {bits.Count} median {bits[bits.Count / 2]:0.00} p90 {bits[bits.Count * 9 / 10]:0.00} p99 {bits[bits.Count * 99 / 100]:0.00} mean {bits.Average():0.00}");
        output.WriteLine($"simulated DGA: p1 {made[50]:0.00} p10 {made[500]:0.00} median {made[2500]:0.00} mean {made.Average():0.00}");
        Assert.True(made[500] > bits[bits.Count * 9 / 10]);
    }
}
