namespace Nfr.Fleet;

/// <summary>What the user of the live view has pressed until now: which sensor, what search, what order. Knows nothing of a terminal.</summary>
sealed class FleetKeys
{
    const int LongestSearch = 60;

    readonly string? _site;
    readonly string _filter;
    string? _selected;
    int _first;
    int _detailTop;
    int _page = 10;
    bool _moved;

    /// <param name="site">Pattern of the sites that are shown; null = all.</param>
    /// <param name="filter">Words that rows must have; a search takes their place, Esc brings them back.</param>
    /// <param name="sort">What first.</param>
    public FleetKeys(string? site, string filter, FleetSort sort) => (_site, _filter, Search, Sort) = (site, filter, filter, sort);

    public string Search { get; private set; }
    public bool Searching { get; private set; }
    public FleetSort Sort { get; private set; }
    /// <summary>The sensor that fills the screen; null = the table does.</summary>
    public string? DetailKey { get; private set; }

    public IReadOnlyList<FleetRow> Shown(FleetView view) => FleetOrder.Of(view.Rows, _site, Search, Sort);

    /// <summary>Which rows are to be seen, and which is chosen. It stays with its sensor when the order changes; before anything is pressed the worst are seen.</summary>
    /// <param name="shown">In their order.</param>
    /// <param name="room">Rows of the screen.</param>
    /// <returns>The first one to be seen; the chosen one, -1 where there is none.</returns>
    public (int First, int Selected) Window(IReadOnlyList<FleetRow> shown, int room)
    {
        _page = room;
        if (shown.Count == 0) return (0, -1);
        int selected = _moved ? Find(shown) : 0;
        if (selected < 0) selected = Math.Min(_first, shown.Count - 1);
        _selected = shown[selected].Key;
        if (!_moved) _first = 0;
        if (selected < _first) _first = selected;
        if (selected >= _first + room) _first = selected - room + 1;
        _first = Math.Clamp(_first, 0, Math.Max(0, shown.Count - room));
        return (_first, selected);
    }

    /// <summary>The first line of a sensor's screen that is to be seen.</summary>
    public int DetailTop(int lines, int room)
    {
        _page = room;
        return _detailTop = Math.Clamp(_detailTop, 0, Math.Max(0, lines - room));
    }

    int Find(IReadOnlyList<FleetRow> shown)
    {
        for (int i = 0; i < shown.Count; i++)
        {
            if (shown[i].Key == _selected) return i;
        }
        return -1;
    }

    /// <summary>True when it was the key that ends the view.</summary>
    public bool Press(ConsoleKeyInfo key, FleetView view)
    {
        if (Searching) Type(key);
        else if (key.KeyChar is 'q' or 'Q') return true;
        else if (DetailKey is not null) InDetail(key);
        else InTable(key, view);
        return false;
    }

    void Type(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Escape: (Search, Searching) = (_filter, false); break;
            case ConsoleKey.Enter: Searching = false; break;
            case ConsoleKey.Backspace: Search = Search.Length > 0 ? Search[..^1] : ""; break;
            default:
                if (!char.IsControl(key.KeyChar) && !char.IsSurrogate(key.KeyChar) && Search.Length < LongestSearch) Search += key.KeyChar;
                break;
        }
        _moved = false;
    }

    void InDetail(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Escape or ConsoleKey.Backspace or ConsoleKey.Enter or ConsoleKey.LeftArrow: DetailKey = null; break;
            case ConsoleKey.UpArrow: _detailTop--; break;
            case ConsoleKey.DownArrow: _detailTop++; break;
            case ConsoleKey.PageUp: _detailTop -= _page; break;
            case ConsoleKey.PageDown or ConsoleKey.Spacebar: _detailTop += _page; break;
            case ConsoleKey.Home: _detailTop = 0; break;
            case ConsoleKey.End: _detailTop = int.MaxValue / 2; break;
            default:
                if (key.KeyChar == 'k') _detailTop--;
                else if (key.KeyChar == 'j') _detailTop++;
                break;
        }
        _detailTop = Math.Max(0, _detailTop);
    }

    void InTable(ConsoleKeyInfo key, FleetView view)
    {
        switch (key.Key)
        {
            case ConsoleKey.UpArrow: Move(view, -1); break;
            case ConsoleKey.DownArrow: Move(view, 1); break;
            case ConsoleKey.PageUp: Move(view, -_page); break;
            case ConsoleKey.PageDown or ConsoleKey.Spacebar: Move(view, _page); break;
            // Back to whoever is worst, also when that changes.
            case ConsoleKey.Home: _moved = false; break;
            case ConsoleKey.End: Move(view, int.MaxValue / 2); break;
            case ConsoleKey.Escape: (Search, _moved) = (_filter, false); break;
            case ConsoleKey.Enter or ConsoleKey.RightArrow:
                if (_selected is not null && Find(Shown(view)) >= 0) (DetailKey, _detailTop, _moved) = (_selected, 0, true);
                break;
            default:
                switch (key.KeyChar)
                {
                    case '/': Searching = true; break;
                    case 'j': Move(view, 1); break;
                    case 'k': Move(view, -1); break;
                    case 's': (Sort, _moved) = ((FleetSort)(((int)Sort + 1) % FleetOrder.Words.Count), false); break;
                }
                break;
        }
    }

    void Move(FleetView view, int by)
    {
        IReadOnlyList<FleetRow> shown = Shown(view);
        if (shown.Count == 0) return;
        int at = Math.Clamp(Math.Max(0, Find(shown)) + by, 0, shown.Count - 1);
        (_selected, _moved) = (shown[at].Key, true);
    }
}
