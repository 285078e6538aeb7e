using System.Text;
using Nfr.Scoring.Names;

namespace Nfr.Train.Data;

/// <summary>A name as the model takes it: the label that was registered, and its public suffix.</summary>
/// <param name="Group">Family of a made-up name, without the number of its variant; "" of a good one.</param>
/// <param name="Lists">The lists that hold a good name, with commas.</param>
/// <param name="MayTrain">Whether the list's licence lets a model be made from it that ships.</param>
/// <param name="Held">One row in eight is kept out of all training, to measure on.</param>
sealed record DgaRow(string Domain, byte[] Label, byte[] Suffix, string Family, string Type, string Group, string Lists, bool MayTrain, bool Held)
{
    public bool IsBad => Family.Length > 0;
    public uint Fold => DgaFeatures.StableHash(Encoding.ASCII.GetBytes("fold " + Domain)) >> 8;
}

/// <summary>The rows of both sides.</summary>
static class DgaRows
{
    /// <summary>The list that no model that ships may be made from (CC BY-NC 4.0): rows that stand on it alone only measure.</summary>
    const string MeasuresOnly = "cloudflare100k_2026";

    public static List<DgaRow> Read(string folder, PublicSuffixList suffixes)
    {
        var rows = new List<DgaRow>();
        foreach (string[] row in ScoringData.Rows(Path.Combine(folder, "dga", "dga.tsv"))) Add(row[0], row[1], row[2], "", mayTrain: true);
        foreach (string[] row in ScoringData.Rows(Path.Combine(folder, "benign", "domains.tsv")))
        {
            // Names that are also on a list of made-up ones say nothing about either side.
            if (row.Length > 2 && row[2].Length > 0) continue;
            Add(row[0], "", "", row[1], row[1] != MeasuresOnly);
        }
        return rows;

        void Add(string domain, string family, string type, string lists, bool mayTrain)
        {
            byte[] name = Encoding.ASCII.GetBytes(domain.Trim().TrimEnd('.'));
            int start = suffixes.RegisteredStart(name, out _, out int suffix);
            if (suffix <= start) return;
            string group = family.StartsWith("gozi", StringComparison.Ordinal) ? "gozi" : family.Split('_')[0];
            bool held = (DgaFeatures.StableHash(name) >> 4) % 8 == 0;
            rows.Add(new DgaRow(domain, name[start..(suffix - 1)], name[suffix..], family, type, group, lists, mayTrain, held));
        }
    }
}
