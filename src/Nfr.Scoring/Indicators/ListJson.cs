using System.Text;
using System.Text.Json;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// Reads a MISP warning list ({"name": …, "type": …, "list": [texts]}) or an array of texts piece by piece; of other members only texts in arrays named
/// list are indicators. What is no JSON from some place on is one fault, and what came before it counts.
/// </summary>
static class ListJson
{
    const int BufferSize = 64 * 1024, MaxDepth = 16;

    public static void Read(Stream stream, ListBuilder list)
    {
        byte[] buffer = new byte[BufferSize];
        var state = new JsonReaderState(new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = MaxDepth });
        int held = 0, linesBefore = 1;
        byte[] member = [];
        bool inList = false, isFirst = true;
        while (true)
        {
            int read = stream.Read(buffer, held, buffer.Length - held);
            held += read;
            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, held);
            if (isFirst && bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
            isFirst = false;
            var reader = new Utf8JsonReader(bytes, isFinalBlock: read == 0, state);
            list.Line = linesBefore;
            int counted = 0;
            try
            {
                while (reader.Read())
                {
                    int start = (int)reader.TokenStartIndex;
                    list.Line += bytes[counted..start].Count((byte)'\n');
                    counted = start;
                    Token(ref reader, list, ref member, ref inList);
                }
            }
            catch (JsonException e)
            {
                list.Line = 1 + (int)(e.LineNumber ?? 0);
                list.Fault("not JSON from here on");
                return;
            }
            catch (InvalidOperationException)
            {
                // The reader lets texts pass whose bytes are no UTF-8, or whose escapes are half a character, until they are asked for.
                list.Fault("not JSON from here on: a text that is not UTF-8");
                return;
            }
            state = reader.CurrentState;
            int consumed = (int)reader.BytesConsumed;
            linesBefore += bytes[..consumed].Count((byte)'\n');
            if (read == 0) return;
            bytes[consumed..].CopyTo(buffer);
            held = bytes.Length - consumed;
            if (held < buffer.Length) continue;
            list.Fault("a text longer than 64 KiB; the rest of the file is not read");
            return;
        }
    }

    static void Token(ref Utf8JsonReader reader, ListBuilder list, ref byte[] member, ref bool inList)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                member = reader.ValueSpan.Length <= 32 ? reader.ValueSpan.ToArray() : [];
                break;
            case JsonTokenType.StartArray:
                inList = reader.CurrentDepth == 0 || (reader.CurrentDepth == 1 && member.AsSpan().SequenceEqual("list"u8));
                break;
            case JsonTokenType.EndArray:
                inList = false;
                break;
            case JsonTokenType.String when inList:
                Span<byte> text = stackalloc byte[512];
                if (reader.ValueSpan.Length > text.Length) list.Fault("longer than 512 bytes");
                else list.Add(text[..reader.CopyString(text)].Trim(" \t"u8), default, default);
                break;
            case JsonTokenType.String when reader.CurrentDepth == 1:
                list.Member(member, reader.GetString() ?? "");
                break;
            case JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null or JsonTokenType.StartObject when inList:
                list.Fault("not a text");
                break;
        }
    }
}
