using System.Globalization;
using System.Text;

namespace Nfr.Engine;

/// <summary>Metrics in the Prometheus text format 0.0.4. A counter's name ends in _total, nothing else's does.</summary>
sealed class MetricLines
{
    readonly StringBuilder _text = new(4096);

    public void One(string name, string help, string kind, long value)
    {
        Head(name, help, kind);
        _text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
    }

    public void Each(string name, string help, string kind, string label, IEnumerable<(string Label, long Value)> values)
    {
        Head(name, help, kind);
        foreach ((string of, long value) in values) _text.Append(CultureInfo.InvariantCulture, $"{name}{{{label}=\"{Label(of)}\"}} {value}\n");
    }

    /// <summary>Names of lists are whatever a file is called.</summary>
    static string Label(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    void Head(string name, string help, string kind) => _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {kind}\n");

    public override string ToString() => _text.ToString();
}
