using System.Globalization;

namespace Nfr.Train.Traffic;

/// <summary>Made-up lists of the usual mix: of ten lines seven domains, two addresses with and without port, one URL.</summary>
static class MadeUpIndicators
{
    public static void Write(string path, int count, int seed) => File.WriteAllLines(path, Lines(count, seed).Prepend("first_seen,ioc_value,malware"));

    /// <returns>Lines of a date, an indicator and a family.</returns>
    public static IEnumerable<string> Lines(int count, int seed)
    {
        var random = new Random(seed);
        string[] tops = ["com", "net", "org", "top", "xyz", "info", "ru", "co.uk", "duckdns.org"];
        for (int i = 0; i < count; i++)
        {
            string indicator = (i % 10) switch
            {
                < 7 => $"{Name(random, (seed * 10_000_000) + i)}.{tops[random.Next(tops.Length)]}",
                7 => $"{random.Next(11, 100)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}",
                8 => $"{random.Next(11, 100)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}:{random.Next(1, 65536)}",
                _ => $"http://{Name(random, i)}.com/{Name(random, i)}/{Name(random, i)}.exe",
            };
            yield return $"2024-{random.Next(1, 13):00}-{random.Next(1, 29):00} 10:00:00,{indicator},family{random.Next(400)}";
        }
    }

    public static string Name(Random random, int number) => string.Create(CultureInfo.InvariantCulture, $"{string.Create(4 + random.Next(9), random, static (span, r) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = (char)('a' + r.Next(26));
    })}{number:x}");
}
