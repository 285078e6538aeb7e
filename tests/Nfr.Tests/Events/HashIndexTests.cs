using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class HashIndexTests
{
    [Fact]
    public void It_finds_what_a_dictionary_of_lists_finds()
    {
        const int Entries = 64;
        var index = new HashIndex(Entries);
        var random = new Random(3);
        var model = new Dictionary<int, uint>();
        // Few hashes, several of them in the last places: searches run into each other and around the end.
        uint[] hashes = [0, 1, 2, 127, 128, 255, 0xFFFF_FFFF, 0xFFFF_FF7F, 0x8000_0000, 126, 0x7E];
        for (int i = 0; i < 20_000; i++)
        {
            int entry = random.Next(Entries);
            if (model.Remove(entry, out uint old))
            {
                index.Remove(old, entry);
            }
            else
            {
                model[entry] = hashes[random.Next(hashes.Length)];
                index.Add(model[entry], entry);
            }
            uint wanted = hashes[random.Next(hashes.Length)];
            var found = new List<int>();
            for (int e = index.First(wanted, out uint place); e != HashIndex.None; e = index.Next(wanted, ref place)) found.Add(e);
            Assert.Equal(model.Where(p => p.Value == wanted).Select(p => p.Key).Order(), found.Order());
        }
    }

    [Fact]
    public void A_full_table_can_be_emptied_and_filled_again()
    {
        var index = new HashIndex(16);
        for (int round = 0; round < 3; round++)
        {
            for (int e = 0; e < 16; e++) index.Add(7, e);
            for (int e = 15; e >= 0; e--) index.Remove(7, e);
            Assert.Equal(HashIndex.None, index.First(7, out _));
        }
    }
}
