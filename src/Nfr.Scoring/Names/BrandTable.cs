using System.Text;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Names;

/// <summary>
/// The brands that names are held against, and the domains that are theirs. Built once: the labels that ship (Models/brands.txt) and those of the site.
/// Words one letter from a brand are found by deletions: two words one step apart share what is left when each loses a letter or none, so a lookup is as many
/// probes as the word has letters, whatever the number of brands.
/// </summary>
/// <remarks>At most <see cref="MaxBrands"/>, further ones are left out and said in <see cref="Faults"/>; about 60 keys of 8 bytes each: 0.25 MB for the 240 that
/// ship, 1 MB at most.</remarks>
sealed class BrandTable
{
    public const int MaxBrands = 1024;
    /// <summary>Shorter labels say too little; longer ones are no brands.</summary>
    public const int MinLength = 3, MaxLength = 24;
    const int MaxFileBytes = 1 << 20;

    public sealed class Brand
    {
        public required byte[] Label { get; init; }
        public required byte[] Coarse { get; init; }
        public required byte[] Fine { get; init; }
        /// <summary>The public suffix of its domain.</summary>
        public required byte[] Suffix { get; init; }
        public required string Domain { get; init; }
        /// <summary>An everyday word too: counts for less inside longer names.</summary>
        public required bool IsWord { get; init; }
    }

    readonly List<Brand> _brands = [];
    readonly HashSet<ulong> _own = [], _lures = [], _strongLures = [];
    readonly Dictionary<ulong, int> _byLabel = [];
    readonly PublicSuffixList _suffixes;
    /// <summary>Open addressing, doubled while building: upper half of the key, and brand + 1 (0 = empty).</summary>
    (uint Key, ushort Brand)[] _edits = new (uint, ushort)[1 << 10], _shapes = new (uint, ushort)[1 << 10];
    int _editCount, _shapeCount;

    BrandTable(PublicSuffixList suffixes) => _suffixes = suffixes;

    public IReadOnlyList<Brand> Brands => _brands;

    /// <summary>Lines that could not be used, as <c>file:line: what is wrong</c>; 20 at most.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>The brands that ship and those of a file of the same form; a file that is absent adds none.</summary>
    /// <param name="suffixes">Tells a label from its public suffix.</param>
    /// <param name="file">Empty = none.</param>
    public static BrandTable Load(PublicSuffixList suffixes, string file = "")
    {
        var table = new BrandTable(suffixes);
        table.AddShipped();
        if (file.Length > 0) table.AddFile(file);
        return table;
    }

    /// <summary>A table of given lines alone, without those that ship.</summary>
    public static BrandTable Of(PublicSuffixList suffixes, IEnumerable<string> lines)
    {
        var table = new BrandTable(suffixes);
        table.AddLures();
        table.AddLines("lines", lines);
        return table;
    }

    void AddShipped()
    {
        AddLures();
        AddLines("brands.txt", Encoding.ASCII.GetString(Shipped.Read("brands.txt")).Split('\n'));
    }

    void AddLures()
    {
        foreach (string word in Encoding.ASCII.GetString(Shipped.Read("lures.txt")).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] lure = Encoding.ASCII.GetBytes(word.TrimStart('!'));
            _lures.Add(Mix.OfName(lure));
            if (word[0] == '!') _strongLures.Add(Mix.OfName(lure));
        }
    }

    void AddFile(string file)
    {
        try
        {
            var info = new FileInfo(file);
            if (!info.Exists) return;
            if (info.Length > MaxFileBytes) Fault($"{file}: {info.Length} bytes, at most {MaxFileBytes} are read; leave out what is not needed");
            else AddLines(file, File.ReadLines(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fault($"{file}: {e.Message}");
        }
    }

    void Fault(string text)
    {
        if (Faults.Count < 20) Faults.Add(text);
    }

    void AddLines(string file, IEnumerable<string> lines)
    {
        int number = 0;
        foreach (string text in lines)
        {
            number++;
            string line = text.Trim().ToLowerInvariant();
            if (line.Length == 0 || line[0] == '#') continue;
            bool isGood = line[0] == '=', isWord = line[0] == '~';
            string[] domains = (isGood || isWord ? line[1..] : line).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            foreach (string domain in domains)
            {
                if (IsName(domain)) _own.Add(Mix.OfName(Encoding.ASCII.GetBytes(domain)));
                else Fault($"{file}:{number}: \"{(domain.Length > 40 ? domain[..40] : domain)}\" is no domain name");
            }
            if (!isGood && domains.Length > 0 && IsName(domains[0])) AddBrand(file, number, domains[0], isWord);
        }
    }

    static bool IsName(string domain) =>
        domain.Length is > 2 and < 254 && domain.Contains('.', StringComparison.Ordinal) && domain.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.');

    void AddBrand(string file, int number, string domain, bool isWord)
    {
        byte[] name = Encoding.ASCII.GetBytes(domain);
        int start = _suffixes.RegisteredStart(name, out _, out int suffix);
        if (start > 0 || suffix <= 0 || suffix >= name.Length)
        {
            Fault($"{file}:{number}: {domain} is no registered domain (one label and a public suffix)");
            return;
        }
        byte[] label = name[..(suffix - 1)];
        if (label.Length is < MinLength or > MaxLength)
        {
            Fault($"{file}:{number}: the label of {domain} has {label.Length} letters; {MinLength} to {MaxLength} can be told apart");
            return;
        }
        ulong key = Mix.OfName(label);
        if (_byLabel.ContainsKey(key)) return;
        if (_brands.Count == MaxBrands)
        {
            Fault($"{file}:{number}: more than {MaxBrands} brands; {domain} and what follows is left out");
            return;
        }
        Span<byte> shape = stackalloc byte[MaxLength];
        byte[] coarse = shape[..Shape.Coarse(label, shape)].ToArray(), fine = shape[..Shape.Fine(label, shape)].ToArray();
        _byLabel[key] = _brands.Count;
        _brands.Add(new Brand { Label = label, Coarse = coarse, Fine = fine, Suffix = name[suffix..], Domain = domain, IsWord = isWord });
        AddWords(ref _edits, ref _editCount, label);
        AddWords(ref _shapes, ref _shapeCount, coarse);
        if (!fine.AsSpan().SequenceEqual(label)) Add(ref _edits, ref _editCount, KeyOf(fine, -1));
    }

    void AddWords(ref (uint Key, ushort Brand)[] table, ref int count, byte[] word)
    {
        for (int without = -1; without < word.Length; without++) Add(ref table, ref count, KeyOf(word, without));
    }

    void Add(ref (uint Key, ushort Brand)[] table, ref int count, uint key)
    {
        if (++count * 2 > table.Length)
        {
            var old = table;
            table = new (uint, ushort)[old.Length * 2];
            foreach ((uint Key, ushort Brand) entry in old)
            {
                if (entry.Brand != 0) Place(table, entry.Key, entry.Brand);
            }
        }
        if (!Place(table, key, (ushort)_brands.Count)) count--;
    }

    static bool Place((uint Key, ushort Brand)[] table, uint key, ushort brand)
    {
        int mask = table.Length - 1, i = (int)key & mask;
        for (; table[i].Brand != 0; i = (i + 1) & mask)
        {
            if (table[i].Key == key && table[i].Brand == brand) return false;
        }
        table[i] = (key, brand);
        return true;
    }

    /// <summary>Hash of a word without one of its letters (-1 = with all).</summary>
    static uint KeyOf(ReadOnlySpan<byte> word, int without)
    {
        ulong h = 0xCBF2_9CE4_8422_2325;
        for (int i = 0; i < word.Length; i++)
        {
            if (i != without) h = (h ^ word[i]) * 0x0000_0100_0000_01B3;
        }
        return (uint)(Mix.Of(h) >> 32);
    }

    /// <summary>Whether a domain belongs to a brand or is known to be good.</summary>
    public bool IsOwn(ReadOnlySpan<byte> domain) => _own.Contains(Mix.OfName(domain));

    /// <summary>Whether a word promises what a brand's customers look for.</summary>
    public bool IsLure(ReadOnlySpan<byte> word) => _lures.Contains(Mix.OfName(word));

    /// <summary>Whether it is one that an honest branch of the brand hardly puts beside its name.</summary>
    public bool IsStrongLure(ReadOnlySpan<byte> word) => _strongLures.Contains(Mix.OfName(word));

    /// <summary>The brand of exactly this label; -1 when there is none.</summary>
    public int Find(ReadOnlySpan<byte> label) =>
        label.Length is >= MinLength and <= MaxLength && _byLabel.TryGetValue(Mix.OfName(label), out int brand) ? brand : -1;

    /// <summary>Brands whose label may lie within one step of a word (or, of shapes, whose coarse shape may); some that do not come too, and some come twice.</summary>
    public Candidates Near(ReadOnlySpan<byte> word, bool shapes) => new(shapes ? _shapes : _edits, word);

    /// <summary>Walks the table of deletions.</summary>
    public ref struct Candidates
    {
        readonly (uint Key, ushort Brand)[] _table;
        readonly ReadOnlySpan<byte> _word;
        int _without = -2, _at;
        uint _key;

        internal Candidates((uint Key, ushort Brand)[] table, ReadOnlySpan<byte> word)
        {
            _table = table;
            // One letter more than the longest brand can still be one step away.
            _word = word.Length > MaxLength + 1 ? default : word;
        }

        /// <summary>Index of the brand.</summary>
        public int Current { get; private set; }

        public bool MoveNext()
        {
            while (!_word.IsEmpty)
            {
                if (_without == -2 || _table[_at].Brand == 0)
                {
                    _without = _without == -2 ? -1 : _without + 1;
                    if (_without >= _word.Length) return false;
                    _key = KeyOf(_word, _without);
                    _at = (int)_key & (_table.Length - 1);
                    continue;
                }
                (uint key, ushort brand) = _table[_at];
                _at = (_at + 1) & (_table.Length - 1);
                if (key != _key) continue;
                Current = brand - 1;
                return true;
            }
            return false;
        }
    }
}
