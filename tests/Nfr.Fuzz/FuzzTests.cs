using System.Globalization;
using Xunit.Abstractions;

namespace Nfr.Fuzz;

/// <summary>
/// The CI tier: a fixed number of runs from a fixed seed for each entrance, and every prefix of every seed. Nothing throws, nothing runs long, no decoder
/// allocates, and the ways gone do not get fewer than edges.tsv says (a silent loss of coverage would make the rest worthless).
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    /// <summary>Hash seeds and the machine's captures make a little difference.</summary>
    const double EdgesKept = 0.95;

    public static TheoryData<string> Names => new(Catalog.All.Select(t => t.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutated_input_is_a_fault_and_nothing_else(string target)
    {
        (long runs, int edges) = Run(target);
        Assert.True(runs >= Catalog.All.Single(t => t.Name == target).Runs);
        if (!Directory.Exists(Path.Combine(Child.Root, "..", "shared", "corpus")))
        {
            output.WriteLine("coverage is not compared: the captures of others are not beside the checkout");
            return;
        }
        int floor = (int)(Floors().GetValueOrDefault(target) * EdgesKept);
        Assert.True(edges >= floor, $"{target}: {edges} edges, at least {floor} wanted");
    }

    [Theory]
    [InlineData("frame")]
    [InlineData("dns")]
    [InlineData("tls")]
    [InlineData("http")]
    [InlineData("quic")]
    [InlineData("datagram")]
    [InlineData("dhcp")]
    [InlineData("dhcp6")]
    [InlineData("nbns")]
    [InlineData("dtls")]
    [InlineData("ssh")]
    [InlineData("replies")]
    public void Every_prefix_of_every_seed_is_read(string target) => Run(target, "--prefixes");

    [Fact]
    public void Every_entrance_has_a_floor() => Assert.Equal(Catalog.All.Select(t => t.Name).Order(), Floors().Where(f => f.Value > 0).Select(f => f.Key).Order());

    [Fact]
    public void The_seeds_of_a_bundle_are_updates_that_a_box_takes_to_their_ends() => Assert.All(BundleTarget.Bundles(), b => Assert.True(BundleTarget.Takes(b)));

    (long Runs, int Edges) Run(params string[] arguments)
    {
        (int code, List<string> lines) = Child.Run(arguments);
        foreach (string line in lines) output.WriteLine(line);
        Assert.True(code == 0, $"ended with {code}; the inputs of findings are in artifacts/fuzz\n{string.Join('\n', lines.TakeLast(5))}");
        string[] result = lines.Single(l => l.StartsWith("result ", StringComparison.Ordinal)).Split(' ');
        return (long.Parse(result[2], CultureInfo.InvariantCulture), int.Parse(result[3], CultureInfo.InvariantCulture));
    }

    static Dictionary<string, int> Floors() => File.ReadLines(Path.Combine(Child.Root, "tests", "Nfr.Fuzz", "edges.tsv"))
        .Select(l => l.Split('\t')).ToDictionary(f => f[0], f => int.Parse(f[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
}
