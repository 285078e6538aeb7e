namespace Nfr.Logs;

/// <summary>The half of the day that a word stands for.</summary>
enum DayHalf : byte
{
    None,
    Morning,
    Afternoon,
    /// <summary>A word that is none of those that are known.</summary>
    Unknown,
}

/// <summary>
/// The words of Windows' languages for the halves of the day, in UTF-8 and in the code pages that a log of the server's is written in.
/// </summary>
static class DayHalves
{
    // Without dots and spaces, ASCII letters in small.
    static readonly byte[][] s_mornings = [.. Texts("am", "a", "上午", "午前", "오전", "πμ", "π", "ص", "قظ", "पूर्वाह्न", "öö", "ÖÖ", "sa", "vm", "pd", "de", "dop", "fm", "ap"),
        [0xC9, 0xCF, 0xCE, 0xE7], [0xA4, (byte)'w', 0xA4, 0xC8], [0x8C, 0xDF, 0x91, (byte)'o'], [0xBF, 0xC0, 0xC0, 0xFC],
        [0xF0, 0xEC], [0xD5], [0xDE, 0xD9], [0xF6, 0xF6], [0xD6, 0xD6]];

    static readonly byte[][] s_afternoons = [.. Texts("pm", "p", "下午", "午後", "오후", "μμ", "μ", "م", "بظ", "अपराह्न", "ös", "Ös", "ch", "nm", "md", "du", "odp", "pop", "em", "ip"),
        [0xCF, 0xC2, 0xCE, 0xE7], [0xA4, (byte)'u', 0xA4, 0xC8], [0x8C, 0xDF, 0x8C, 0xE3], [0xBF, 0xC0, 0xC8, 0xC4],
        [0xEC, 0xEC], [0xE3], [0xC8, 0xD9], [0xF6, (byte)'s'], [0xD6, (byte)'s']];

    static IEnumerable<byte[]> Texts(params string[] texts) => texts.Select(System.Text.Encoding.UTF8.GetBytes);

    /// <summary>Of a word without dots and spaces, ASCII letters in small.</summary>
    public static DayHalf Of(ReadOnlySpan<byte> word)
    {
        if (word.IsEmpty) return DayHalf.None;
        foreach (byte[] known in s_mornings)
        {
            if (word.SequenceEqual(known)) return DayHalf.Morning;
        }
        foreach (byte[] known in s_afternoons)
        {
            if (word.SequenceEqual(known)) return DayHalf.Afternoon;
        }
        return DayHalf.Unknown;
    }

    /// <summary>From an hour on a clock of twelve to one of 24; -1 when there is no such hour.</summary>
    public static int Hour(int hour, DayHalf half) => half switch
    {
        DayHalf.None => hour is >= 0 and <= 23 ? hour : -1,
        // Some write 13:00 PM, or 0:30 AM.
        DayHalf.Morning => hour == 12 ? 0 : hour is >= 0 and < 12 ? hour : -1,
        DayHalf.Afternoon => hour is >= 12 and <= 23 ? hour : hour is >= 0 and < 12 ? hour + 12 : -1,
        _ => -1,
    };
}
