using System.Runtime.CompilerServices;

namespace Nfr.Scoring.Detection;

/// <summary>What one client has sent and was sent under one domain: three windows that each begin with the first new text in them.</summary>
struct TunnelPair
{
    public const int Windows = 3;

    public struct Window
    {
        /// <summary>Seconds of tick.</summary>
        public uint Start;
        public int Bytes;
    }

    [InlineArray(Windows)]
    public struct Carried
    {
        Window _first;
    }

    public Carried New;
    // Within the first window.
    public int DataTypeBytes;
    public int AnswerBytes;
    public int AnswerNames;
    // Within the last.
    public int Labels;
    public int Queries;
    public int NewQueries;
    public float Bits;
    public ushort LongestLabel;
    public QuestionTypes Types;

    /// <summary>Types that were asked with something new in the name.</summary>
    [Flags]
    public enum QuestionTypes : ushort
    {
        None = 0, A = 1, AAAA = 2, TXT = 4, NULL = 8, CNAME = 16, MX = 32, KEY = 64, SRV = 128, HTTPS = 256, PTR = 512, NS = 1024, Other = 2048,
    }

    /// <summary>Nanoseconds of each window.</summary>
    public static long LengthOf(Thresholds thresholds, int window) => window switch { 0 => thresholds.TunnelWindow, 1 => thresholds.TunnelSlowWindow, _ => thresholds.TunnelDay };

    /// <summary>Adds what one query carried.</summary>
    /// <param name="told">Of its name.</param>
    /// <param name="answered">Bytes that its answer brought.</param>
    /// <param name="type">Its type.</param>
    /// <param name="now">Seconds of tick.</param>
    /// <param name="thresholds">The windows.</param>
    public void Add(in TunnelText told, int answered, ushort type, uint now, Thresholds thresholds)
    {
        for (int i = 0; i < Windows; i++)
        {
            Window window = New[i];
            if (window.Start == 0 || (now - window.Start) * 1_000_000_000L > LengthOf(thresholds, i))
            {
                window = new Window { Start = now };
                if (i == 0) DataTypeBytes = AnswerBytes = AnswerNames = 0;
                if (i == Windows - 1)
                {
                    Labels = Queries = NewQueries = LongestLabel = 0;
                    Bits = 0;
                    Types = QuestionTypes.None;
                }
            }
            window.Bytes = Plus(window.Bytes, told.Fresh);
            New[i] = window;
        }
        Queries = Plus(Queries, 1);
        AnswerBytes = Plus(AnswerBytes, answered);
        if (answered > 0) AnswerNames = Plus(AnswerNames, 1);
        if (told.Fresh == 0) return;
        NewQueries = Plus(NewQueries, 1);
        Labels = Plus(Labels, told.FreshLabels);
        Bits += (float)told.Bits;
        LongestLabel = (ushort)Math.Max((int)LongestLabel, told.Longest);
        Types |= TypeOf(type);
        if (CarriesData(type)) DataTypeBytes = Plus(DataTypeBytes, told.Fresh);
    }

    static int Plus(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);

    /// <summary>Seconds of a tick; 0 is no time.</summary>
    public static uint Seconds(long tick) => (uint)(tick / 1_000_000_000) + 1;

    /// <summary>The window whose bytes come nearest to their limit, or exceed it most.</summary>
    /// <param name="thresholds">The limits of one client.</param>
    /// <param name="times">Times those.</param>
    /// <param name="share">Its bytes as a share of its limit.</param>
    public readonly int Worst(Thresholds thresholds, int times, out double share)
    {
        int worst = 0;
        share = 0;
        for (int i = 0; i < Windows; i++)
        {
            double s = New[i].Bytes / (double)(LimitOf(thresholds, i) * times);
            if (s > share) (worst, share) = (i, s);
        }
        return worst;
    }

    public readonly int LimitOf(Thresholds thresholds, int window) => window switch
    {
        0 => DataTypeBytes * 2L >= New[0].Bytes ? thresholds.TunnelDataTypeBytes : thresholds.TunnelBytes,
        1 => thresholds.TunnelSlowBytes,
        _ => thresholds.TunnelDayBytes,
    };

    /// <summary>Types that tunnels use, and browsers hardly.</summary>
    static bool CarriesData(ushort type) => type is not (1 or 28 or 64 or 65);

    static QuestionTypes TypeOf(ushort type) => type switch
    {
        1 => QuestionTypes.A, 2 => QuestionTypes.NS, 5 => QuestionTypes.CNAME, 10 => QuestionTypes.NULL, 12 => QuestionTypes.PTR, 15 => QuestionTypes.MX,
        16 => QuestionTypes.TXT, 25 => QuestionTypes.KEY, 28 => QuestionTypes.AAAA, 33 => QuestionTypes.SRV, 65 => QuestionTypes.HTTPS, _ => QuestionTypes.Other,
    };
}
