using System.Text;
using Nfr.Scoring.Tables;

namespace Nfr.Tests.Scoring;

public sealed class MixTests
{
    [Fact]
    public void Names_are_one_key_whatever_the_case_of_their_letters_and_two_otherwise()
    {
        var random = new Random(3);
        var keys = new HashSet<ulong>();
        var names = new HashSet<string>();
        for (int i = 0; i < 20_000; i++)
        {
            byte[] name = new byte[random.Next(0, 40)];
            for (int j = 0; j < name.Length; j++) name[j] = (byte)random.Next(256);
            byte[] lower = [.. name.Select(b => b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b + 32) : b)];
            Assert.Equal(Mix.OfName(lower), Mix.OfName(name));
            byte[] upper = [.. name.Select(b => b is >= (byte)'a' and <= (byte)'z' ? (byte)(b - 32) : b)];
            Assert.Equal(Mix.OfName(lower), Mix.OfName(upper));
            names.Add(Encoding.Latin1.GetString(lower));
            keys.Add(Mix.OfName(name));
        }
        Assert.Equal(names.Count, keys.Count);
    }

    [Theory]
    [InlineData("", "\0")]
    [InlineData("a", "a\0")]
    [InlineData("abcdefgh", "abcdefgh\0")]
    [InlineData("@", "`")]
    [InlineData("[bcdefgh", "{bcdefgh")]
    [InlineData("abcdefghabcdefgh", "abcdefgh")]
    public void Neighbours_are_not_confused(string one, string other) =>
        Assert.NotEqual(Mix.OfName(Encoding.Latin1.GetBytes(one)), Mix.OfName(Encoding.Latin1.GetBytes(other)));
}
