using System.Text;

namespace Nfr.Tests.Wire;

/// <summary>Test input as hex with the field beside it: everything after a '#' is a remark, white space is nothing.</summary>
internal static class Bytes
{
    public static byte[] Of(string hex)
    {
        var digits = new StringBuilder();
        foreach (string line in hex.Split('\n'))
        {
            int remark = line.IndexOf('#', StringComparison.Ordinal);
            foreach (char c in remark < 0 ? line : line[..remark])
            {
                if (!char.IsWhiteSpace(c)) digits.Append(c);
            }
        }
        return Convert.FromHexString(digits.ToString());
    }

    public static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);

    public static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    /// <summary>Changes, cuts or repeats a few bytes; the same for the same random.</summary>
    public static byte[] Mutate(byte[] input, Random random)
    {
        byte[] result = (byte[])input.Clone();
        for (int i = random.Next(1, 6); i > 0 && result.Length > 0; i--)
        {
            int at = random.Next(result.Length);
            switch (random.Next(5))
            {
                case 0: result[at] = (byte)random.Next(256); break;
                case 1: result[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: result[at] = random.Next(2) == 0 ? (byte)0xFF : (byte)0; break;
                case 3: result = result[..at]; break;
                default: result = [.. result[..at], .. result.AsSpan(random.Next(result.Length)).ToArray()]; break;
            }
        }
        return result;
    }
}
