using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// One JSON object (RFC 8259) as it is written, on one line. The platform's writer does the same for any JSON; for lines whose keys are known
/// and whose texts are nearly all plain it took half of the time of a read that prints (decisions/004). One thread; allocates only when a line is longer than all before.
/// </summary>
sealed class JsonLine
{
    /// <summary>Text in quotes that JSON would have escaped, and what is not printable ASCII: the encoder's business.</summary>
    static readonly SearchValues<byte> Plain = SearchValues.Create(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>More than any number, key or bracket takes.</summary>
    const int Slack = 64;

    byte[] _bytes = new byte[1024];
    int _length;

    public void Reset() => _length = 0;

    /// <summary>Copies the line to its reader.</summary>
    public void Flush(IBufferWriter<byte> output) => output.Write(_bytes.AsSpan(0, _length));

    public void WriteStartObject() => Open((byte)'{');

    public void WriteEndObject() => Close((byte)'}');

    public void WriteStartObject(JsonKey key)
    {
        Name(key, 1);
        _bytes[_length++] = (byte)'{';
    }

    public void WriteStartArray(JsonKey key)
    {
        Name(key, 1);
        _bytes[_length++] = (byte)'[';
    }

    public void WriteEndArray() => Close((byte)']');

    public void WriteNumber(JsonKey key, long value)
    {
        Name(key, Slack);
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(_length), out int written);
        _length += written;
    }

    /// <summary>A number that is text already.</summary>
    public void WriteRaw(JsonKey key, ReadOnlySpan<byte> number)
    {
        Name(key, number.Length);
        number.CopyTo(_bytes.AsSpan(_length));
        _length += number.Length;
    }

    /// <summary>Valid UTF-8, escaped where JSON asks for it.</summary>
    public void WriteString(JsonKey key, ReadOnlySpan<byte> text)
    {
        Name(key, text.Length + 2);
        Quoted(text);
    }

    public void WriteStringValue(ReadOnlySpan<byte> text)
    {
        Room(text.Length + Slack);
        Comma();
        Quoted(text);
    }

    void Open(byte bracket)
    {
        Room(Slack);
        Comma();
        _bytes[_length++] = bracket;
    }

    void Close(byte bracket)
    {
        Room(Slack);
        _bytes[_length++] = bracket;
    }

    /// <summary>The key with its comma and colon, and room for a value of this many bytes.</summary>
    void Name(JsonKey key, int value)
    {
        ReadOnlySpan<byte> name = key.Bytes;
        Room(name.Length + value + Slack);
        // The first one of an object has no comma.
        if (_bytes[_length - 1] == (byte)'{') name = name[1..];
        name.CopyTo(_bytes.AsSpan(_length));
        _length += name.Length;
    }

    void Comma()
    {
        if (_length > 0 && _bytes[_length - 1] is not ((byte)'[' or (byte)'{' or (byte)':')) _bytes[_length++] = (byte)',';
    }

    void Quoted(ReadOnlySpan<byte> text)
    {
        _bytes[_length++] = (byte)'"';
        if (text.ContainsAnyExcept(Plain))
        {
            Escaped(text);
        }
        else
        {
            text.CopyTo(_bytes.AsSpan(_length));
            _length += text.Length;
        }
        _bytes[_length++] = (byte)'"';
    }

    void Escaped(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            // Six bytes for each at the most: \u0000.
            Room((text.Length * 6) + Slack);
            JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(text, _bytes.AsSpan(_length), out int consumed, out int written);
            _length += written;
            text = text[consumed..];
            // Half a character at the end: what was read as valid text has none.
            if (consumed == 0) return;
        }
    }

    void Room(int bytes)
    {
        if (_bytes.Length - _length < bytes) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes));
    }
}

/// <summary>A key with the comma before it, its quotes and its colon; keys have nothing that must be escaped.</summary>
sealed class JsonKey(string name)
{
    readonly JsonEncodedText _encoded = JsonEncodedText.Encode(name);

    public byte[] Bytes { get; } = Encoding.ASCII.GetBytes($",\"{name}\":");

    /// <summary>For the platform's writer.</summary>
    public static implicit operator JsonEncodedText(JsonKey key) => key._encoded;
}
