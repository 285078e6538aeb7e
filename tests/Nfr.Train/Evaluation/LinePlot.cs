using System.Globalization;
using System.Text;

namespace Nfr.Train.Evaluation;

/// <summary>Lines over two axes, as an SVG of 720 × 440.</summary>
sealed class LinePlot(string title, string across, string up)
{
    const double Width = 720, Height = 440, Left = 60, Right = 190, Top = 34, Bottom = 46;
    static readonly string[] s_colours = ["#0b6fa4", "#c8102e", "#2e8540", "#8a5bb0", "#d98200", "#00838f", "#6d4c41", "#616161"];

    readonly List<(string Name, List<(double X, double Y)> Points)> _lines = [];

    public string Title { get; } = title;
    /// <summary>The ends of the axis across; both above 0 when <see cref="LogAcross"/>.</summary>
    public (double From, double To) X { get; init; } = (0, 1);
    public (double From, double To) Y { get; init; } = (0, 1);
    /// <summary>Decades across instead of even steps.</summary>
    public bool LogAcross { get; init; }
    /// <summary>Steps of the axis across when it is even.</summary>
    public double StepAcross { get; init; } = 0.2;

    /// <summary>Adds a line; points outside of the axes are drawn at their edge.</summary>
    public void Add(string name, IEnumerable<(double X, double Y)> points) => _lines.Add((name, [.. points]));

    double Across(double x)
    {
        double at = LogAcross
            ? (Math.Log10(Math.Max(x, X.From)) - Math.Log10(X.From)) / (Math.Log10(X.To) - Math.Log10(X.From))
            : (x - X.From) / (X.To - X.From);
        return Left + (Math.Clamp(at, 0, 1) * (Width - Left - Right));
    }

    double Up(double y) => Height - Bottom - (Math.Clamp((y - Y.From) / (Y.To - Y.From), 0, 1) * (Height - Top - Bottom));

    public string Svg()
    {
        var svg = new StringBuilder();
        Put($"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {Width} {Height}' font-family='sans-serif' font-size='12'>");
        Put($"<rect width='{Width}' height='{Height}' fill='#fff'/><text x='{Left}' y='20' font-size='14'>{Escape(Title)}</text>");
        for (double x = X.From; x <= X.To * 1.0001; x = LogAcross ? x * 10 : x + StepAcross)
        {
            Put($"<path d='M{Across(x):0.#} {Top}V{Height - Bottom}' stroke='#e0e0e0'/>");
            Put($"<text x='{Across(x):0.#}' y='{Height - Bottom + 16}' text-anchor='middle'>{x:0.######}</text>");
        }
        for (int i = 0; i <= 5; i++)
        {
            double y = Y.From + ((Y.To - Y.From) * i / 5);
            Put($"<path d='M{Left} {Up(y):0.#}H{Width - Right}' stroke='#e0e0e0'/>");
            Put($"<text x='{Left - 6}' y='{Up(y) + 4:0.#}' text-anchor='end'>{y:0.##}</text>");
        }
        Put($"<text x='{(Left + Width - Right) / 2}' y='{Height - 10}' text-anchor='middle'>{Escape(across)}</text>");
        Put($"<text x='14' y='{(Top + Height - Bottom) / 2}' text-anchor='middle' transform='rotate(-90 14 {(Top + Height - Bottom) / 2})'>{Escape(up)}</text>");
        for (int i = 0; i < _lines.Count; i++)
        {
            string colour = s_colours[i % s_colours.Length];
            string dashes = i < s_colours.Length ? "" : " stroke-dasharray='5 3'";
            svg.Append(CultureInfo.InvariantCulture, $"<path fill='none' stroke='{colour}' stroke-width='1.8'{dashes} d='");
            for (int p = 0; p < _lines[i].Points.Count; p++)
                svg.Append(CultureInfo.InvariantCulture, $"{(p == 0 ? 'M' : 'L')}{Across(_lines[i].Points[p].X):0.#} {Up(_lines[i].Points[p].Y):0.#}");
            svg.Append("'/>\n");
            double y = Top + 8 + (i * 17);
            Put($"<path d='M{Width - Right + 12} {y}h18' stroke='{colour}' stroke-width='2'{dashes}/><text x='{Width - Right + 35}' y='{y + 4}'>{Escape(_lines[i].Name)}</text>");
        }
        return svg.Append("</svg>\n").ToString();

        void Put(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
