using System.Text;
using Nfr.Scoring.Names;

namespace Nfr.Tests.Scoring;

/// <summary>Punycode, skeletons, shapes and single edits: what the brand matcher is made of.</summary>
public sealed class LookAlikeTests
{
    static string Decode(string text)
    {
        Span<int> codePoints = stackalloc int[63];
        int length = Punycode.Decode(Encoding.ASCII.GetBytes(text), codePoints);
        if (length < 0) return "refused";
        var s = new StringBuilder();
        foreach (int c in codePoints[..length]) s.Append(char.ConvertFromUtf32(c));
        return s.ToString();
    }

    /// <summary>RFC 3492 section 7.1 (A), (B), (D), (I) among them.</summary>
    [Theory]
    [InlineData("egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟")]
    [InlineData("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文")]
    [InlineData("Proprostnemluvesky-uyb24dma41a", "Pročprostěnemluvíčesky")]
    [InlineData("b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски")]
    [InlineData("bcher-kva", "bücher")]
    [InlineData("80ak6aa92e", "аррӏе")]
    public void Punycode_is_decoded(string text, string expected) => Assert.Equal(expected, Decode(text));

    [Theory]
    [InlineData("a!")]
    [InlineData("99999999")]
    [InlineData("zzzzzzzzzzzzzzzzzz")]
    [InlineData("abc-é")]
    public void What_is_no_punycode_is_refused(string text) => Assert.Equal("refused", Decode(text.Replace("é", "\u007f", StringComparison.Ordinal)));

    [Fact]
    public void Every_start_of_a_label_is_decoded_or_refused()
    {
        const string Label = "b1abfaaepdrnnbgefbadotcwatmq2g4l";
        for (int i = 0; i <= Label.Length; i++) _ = Decode(Label[..i]);
        Span<int> two = stackalloc int[2];
        Assert.Equal(-1, Punycode.Decode("bcher-kva"u8, two));
    }

    [Theory]
    [InlineData("аррӏе", "apple")]
    [InlineData("раураӏ", "paypal")]
    [InlineData("gööģlé", "google")]
    [InlineData("ⅿicrosoft", "rnicrosoft")]
    [InlineData("日本", "??")]
    public void A_skeleton_is_what_it_passes_for(string text, string skeleton)
    {
        int[] codePoints = [.. text.EnumerateRunes().Select(r => r.Value)];
        Span<byte> bytes = stackalloc byte[100];
        string found = Encoding.ASCII.GetString(bytes[..Confusables.Table.Skeleton(codePoints, bytes)]);
        Assert.Equal(skeleton.Replace("rn", "m", StringComparison.Ordinal), found.Replace("rn", "m", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("papyal", BrandLikeness.Transposition)]
    [InlineData("aypal", BrandLikeness.Omission)]
    [InlineData("paypa", BrandLikeness.Omission)]
    [InlineData("ppaypal", BrandLikeness.Repetition)]
    [InlineData("paypall", BrandLikeness.Repetition)]
    [InlineData("pay-pal", BrandLikeness.Hyphenation)]
    [InlineData("paypol", BrandLikeness.VowelSwap)]
    [InlineData("pa6pal", BrandLikeness.Replacement)]
    [InlineData("raypal", BrandLikeness.Replacement)]
    [InlineData("paypaql", BrandLikeness.Insertion)]
    [InlineData("paypalx", BrandLikeness.Addition)]
    [InlineData("epaypal", BrandLikeness.OtherEdit)]
    [InlineData("paycal", BrandLikeness.OtherEdit)]
    [InlineData("paypal", BrandLikeness.None)]
    [InlineData("payal2", BrandLikeness.None)]
    [InlineData("", BrandLikeness.None)]
    public void A_step_is_named(string name, BrandLikeness kind) => Assert.Equal(kind, BrandEdit.Of(Encoding.ASCII.GetBytes(name), "paypal"u8));

    [Fact]
    public void All_words_one_step_away_are_found_by_deletions_and_no_others_are_named()
    {
        var suffixes = PublicSuffixList.Shipped;
        BrandTable table = BrandTable.Of(suffixes, ["acmeworks.com", "zenith-bank.com", "qed.com"]);
        var random = new Random(3);
        foreach (string label in new[] { "acmeworks", "zenith-bank", "qed" })
        {
            for (int i = 0; i < 2000; i++)
            {
                var word = new StringBuilder(label);
                int at = random.Next(word.Length);
                char c = "abcdefghijklmnopqrstuvwxyz0123456789"[random.Next(36)];
                switch (random.Next(4))
                {
                    case 0: word.Remove(at, 1); break;
                    case 1: word.Insert(at, c); break;
                    case 2: word[at] = c; break;
                    default:
                        at = Math.Min(at, word.Length - 2);
                        (word[at], word[at + 1]) = (word[at + 1], word[at]);
                        break;
                }
                byte[] bytes = Encoding.ASCII.GetBytes(word.ToString());
                bool found = false;
                for (var near = table.Near(bytes, shapes: false); near.MoveNext();) found |= table.Brands[near.Current].Label.AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(label));
                Assert.True(found, word.ToString());
            }
        }
    }

    [Fact]
    public void Everyday_words_are_known_and_brands_letters_are_not()
    {
        Assert.True(WordFilter.Table.Has("cooking"u8));
        Assert.True(WordFilter.Table.Has("stack"u8));
        Assert.False(WordFilter.Table.Has("micosoft"u8));
        Assert.False(WordFilter.Table.Has("stack1"u8));
        Assert.False(WordFilter.Table.Has(""u8));
    }
}
