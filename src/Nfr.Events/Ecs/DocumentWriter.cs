using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// Writes one JSON document without empty parts: a text that is null, and an object in which nothing was written, are left out. One
/// instance serves one thread.
/// </summary>
sealed class DocumentWriter : IDisposable
{
    static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    readonly Utf8JsonWriter _json = new(Stream.Null, s_options);
    /// <summary>Objects that are begun; the first <see cref="_opened"/> of them are written.</summary>
    readonly List<string> _open = [];
    int _opened;

    public void Begin(IBufferWriter<byte> output)
    {
        _json.Reset(output);
        _open.Clear();
        _opened = 0;
        _json.WriteStartObject();
    }

    public void End()
    {
        _json.WriteEndObject();
        _json.Flush();
    }

    public void Open(string name) => _open.Add(name);

    public void Close()
    {
        if (_opened == _open.Count)
        {
            _json.WriteEndObject();
            _opened--;
        }
        _open.RemoveAt(_open.Count - 1);
    }

    public void Text(string name, string? text)
    {
        if (string.IsNullOrEmpty(text)) return;
        Commit();
        _json.WriteString(name, text);
    }

    public void Number(string name, long? number)
    {
        if (number is not { } value) return;
        Commit();
        _json.WriteNumber(name, value);
    }

    public void Real(string name, double number)
    {
        if (!double.IsFinite(number)) return;
        Commit();
        _json.WriteNumber(name, number);
    }

    public void Flag(string name, bool? flag)
    {
        if (flag is not { } value) return;
        Commit();
        _json.WriteBoolean(name, value);
    }

    /// <summary>Each text once, in their order, without empty ones; nothing for none.</summary>
    public void Texts(string name, IEnumerable<string?> texts)
    {
        List<string> once = [];
        foreach (string? text in texts)
        {
            if (!string.IsNullOrEmpty(text) && !once.Contains(text)) once.Add(text);
        }
        if (once.Count == 0) return;
        Commit();
        _json.WriteStartArray(name);
        foreach (string text in once) _json.WriteStringValue(text);
        _json.WriteEndArray();
    }

    /// <summary>A list of objects, each written by <paramref name="write"/>; nothing for none.</summary>
    public void Objects<T>(string name, IEnumerable<T> items, Action<T> write)
    {
        bool any = false;
        foreach (T item in items)
        {
            if (!any)
            {
                Commit();
                _json.WriteStartArray(name);
                any = true;
            }
            _json.WriteStartObject();
            write(item);
            _json.WriteEndObject();
        }
        if (any) _json.WriteEndArray();
    }

    /// <summary>A list of numbers; nothing for none.</summary>
    public void Numbers(string name, params ReadOnlySpan<int> numbers)
    {
        if (numbers.IsEmpty) return;
        Commit();
        _json.WriteStartArray(name);
        foreach (int number in numbers) _json.WriteNumberValue(number);
        _json.WriteEndArray();
    }

    /// <summary>As stores read it: RFC 3339 in UTC with what fraction there is.</summary>
    public static string Stamp(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    public void Dispose() => _json.Dispose();

    void Commit()
    {
        for (; _opened < _open.Count; _opened++) _json.WriteStartObject(_open[_opened]);
    }
}
