using System.Runtime.CompilerServices;
using Nfr.Events;

namespace Nfr.Scoring.Detection;

/// <summary>
/// What the names of one host have in common that did not exist: how made-up they look, each by itself and letter by letter, and whether
/// they are of one length. The highest third is left out of the means: a program makes up all of its names, while a mistyped name and a
/// few dead servers of odd names are found with anybody. The trainer measures hosts by the same code.
/// </summary>
struct DgaBurst
{
    /// <summary>Names that are looked at; more are not taken.</summary>
    public const int MaxNames = 32;
    /// <summary>Odds of names are summed in parts of this.</summary>
    public const int OddsScale = 256;
    const int LeftOut = 3;

    [InlineArray(MaxNames)]
    struct Odds
    {
        short _first;
    }

    Odds _name, _letters;
    int _lengths, _squares;

    public int Names { get; private set; }

    /// <param name="name">Odds of the name by itself, in 1/<see cref="OddsScale"/>.</param>
    /// <param name="letters">Odds of its letters, likewise.</param>
    /// <param name="length">Characters of the label.</param>
    public void Add(short name, short letters, int length)
    {
        if (Names == MaxNames) return;
        _name[Names] = name;
        _letters[Names] = letters;
        Names++;
        _lengths += length;
        _squares += length * length;
    }

    /// <summary>Mean of the names' odds without the highest third.</summary>
    public readonly double MeanName => Mean(_name, Names);

    /// <summary>Mean of the letters' odds without the highest third.</summary>
    public readonly double MeanLetters => Mean(_letters, Names);

    static double Mean(Odds odds, int names)
    {
        Span<short> sorted = odds;
        sorted = sorted[..names];
        sorted.Sort();
        int kept = names - (names / LeftOut), sum = 0;
        foreach (short each in sorted[..kept]) sum += each;
        return (double)sum / OddsScale / Math.Max(kept, 1);
    }

    /// <summary>Standard deviation of the lengths.</summary>
    public readonly double LengthSpread
    {
        get
        {
            double n = Math.Max(Names, 1), mean = _lengths / n;
            return Math.Sqrt(Math.Max(0, (_squares / n) - (mean * mean)));
        }
    }

    readonly EvidenceFeature NameOdds(Thresholds t) => new("nameOdds", MeanName - t.DgaNameOddsFrom, t.DgaNameOddsRange, t.DgaNameWeight);
    readonly EvidenceFeature LetterOdds(Thresholds t) => new("letterOdds", MeanLetters - t.DgaLetterOddsFrom, t.DgaLetterOddsRange, t.DgaLetterWeight);
    readonly EvidenceFeature SameLength(Thresholds t) => new("sameLength", t.DgaLengthSpread - LengthSpread, t.DgaLengthSpread, t.DgaLengthWeight);

    /// <summary>The three features of the score, in their order; what good names hardly reach is 0.</summary>
    public readonly EvidenceFeature[] Features(Thresholds t) => [NameOdds(t), LetterOdds(t), SameLength(t)];

    /// <summary>The score of <see cref="Features"/>, in the order of its sum, without making the list.</summary>
    public readonly double Score(Thresholds t) =>
        EvidenceScore.Part(NameOdds(t)) + EvidenceScore.Part(LetterOdds(t)) + EvidenceScore.Part(SameLength(t));

    /// <summary>From which score on so many names are made up.</summary>
    public static double Limit(Thresholds t, int names) => t.DgaLimit + (t.DgaLimitSpread / Math.Sqrt(Math.Clamp(names, 1, t.DgaLimitNames)));
}
