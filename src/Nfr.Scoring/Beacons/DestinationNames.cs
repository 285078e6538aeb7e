using System.Runtime.CompilerServices;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Beacons;

/// <summary>
/// By what name a client came to an address: the registered domain of its last query, handshake or request. What a handshake or a request says is the client's own word, which may be any;
/// it is vouched for where an answer gave this address for that domain: to that client, or to any other of the network (who asks by IPv4 may connect by IPv6).
/// </summary>
sealed class DestinationNames
{
    /// <summary>410 KB. Full: the pair of client and address unused longest goes, and its flows count by address.</summary>
    const int Capacity = 1 << 12;
    const int MaxText = 47;

    [InlineArray(MaxText)]
    struct Text
    {
        byte _first;
    }

    struct Known
    {
        public ulong Name;
        /// <summary>The last two names that answers gave this address for: services share addresses.</summary>
        public ulong Answered, AnsweredBefore;
        public byte Length;
        public Text Text;
    }

    readonly LruTable<Known> _known = new(Capacity);
    /// <summary>Addresses and the names that anybody was given them for, 64 KB. They are asked without a time: the one given longest ago goes.</summary>
    readonly SeenSet _given = new(1 << 13);

    /// <param name="client">Who.</param>
    /// <param name="server">Of whom the name is.</param>
    /// <param name="name"><see cref="Mix.OfName"/> of the registered domain.</param>
    /// <param name="text">The registered domain; of a long one the end is kept.</param>
    /// <param name="answered">An answer to the client's query says so, not the client.</param>
    public void Note(in Address client, in Address server, ulong name, ReadOnlySpan<byte> text, bool answered)
    {
        ref Known known = ref _known[_known.GetOrAdd(Mix.Of(client, Mix.Of(server)), out _)];
        if (answered) _given.Add(Mix.Of(server, name), 0, 0);
        if (answered && known.Answered != name) (known.Answered, known.AnsweredBefore) = (name, known.Answered);
        if (known.Name == name) return;
        known.Name = name;
        if (text.Length > MaxText) text = text[^MaxText..];
        known.Length = (byte)text.Length;
        text.CopyTo(known.Text);
    }

    /// <param name="client">Who.</param>
    /// <param name="server">With whom.</param>
    /// <param name="name"><see cref="Mix.OfName"/> of the registered domain.</param>
    /// <param name="text">Valid until the next <see cref="Note"/>.</param>
    /// <param name="answered">False: it is the client's own word.</param>
    public bool TryFind(scoped in Address client, scoped in Address server, out ulong name, out ReadOnlySpan<byte> text, out bool answered)
    {
        answered = false;
        int index = _known.Find(Mix.Of(client, Mix.Of(server)));
        name = 0;
        text = default;
        if (index < 0) return false;
        ref Known known = ref _known[index];
        name = known.Name;
        answered = known.Answered == name || known.AnsweredBefore == name || _given.Has(Mix.Of(server, name), 0, long.MaxValue);
        text = known.Text;
        text = text[..known.Length];
        return true;
    }
}
