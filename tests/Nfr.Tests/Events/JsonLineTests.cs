using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class JsonLineTests
{
    static readonly JsonKey A = new("a"), B = new("b"), C = new("c");

    static string Written(Action<JsonLine> write)
    {
        var line = new JsonLine();
        write(line);
        var output = new ArrayBufferWriter<byte>();
        line.Flush(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [Fact]
    public void Commas_stand_between_members_and_nowhere_else() =>
        Assert.Equal("""{"a":1,"b":{"a":"x","c":[]},"c":["x","y"],"a":[{"b":2},{"c":-3}]}""", Written(line =>
        {
            line.WriteStartObject();
            line.WriteNumber(A, 1);
            line.WriteStartObject(B);
            line.WriteString(A, "x"u8);
            line.WriteStartArray(C);
            line.WriteEndArray();
            line.WriteEndObject();
            line.WriteStartArray(C);
            line.WriteStringValue("x"u8);
            line.WriteStringValue("y"u8);
            line.WriteEndArray();
            line.WriteStartArray(A);
            line.WriteStartObject();
            line.WriteNumber(B, 2);
            line.WriteEndObject();
            line.WriteStartObject();
            line.WriteNumber(C, -3);
            line.WriteEndObject();
            line.WriteEndArray();
            line.WriteEndObject();
        }));

    [Fact]
    public void Every_character_is_written_as_the_platforms_writer_does()
    {
        var random = new Random(4);
        for (int i = 0; i < 2000; i++)
        {
            // All planes, all controls, and lengths around the growth of the buffer.
            var text = new StringBuilder();
            int length = i < 300 ? 1 : random.Next(i % 10 == 0 ? 3000 : 40);
            for (int n = 0; n < length; n++)
            {
                int rune = i < 300 ? i : random.Next(4) switch { 0 => random.Next(0x20), 1 => random.Next(0x20, 0x80), 2 => random.Next(0x80, 0x3000), _ => random.Next(0x10000, 0x10FFFF) };
                text.Append(new Rune(rune).ToString());
            }
            byte[] utf8 = Encoding.UTF8.GetBytes(text.ToString());
            var expected = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(expected, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                writer.WriteStartObject();
                writer.WriteString("a", utf8);
                writer.WriteNumber("b", long.MinValue + i);
                writer.WriteEndObject();
            }
            Assert.Equal(Encoding.UTF8.GetString(expected.WrittenSpan), Written(line =>
            {
                line.WriteStartObject();
                line.WriteString(A, utf8);
                line.WriteNumber(B, long.MinValue + i);
                line.WriteEndObject();
            }));
        }
    }

    [Fact]
    public void A_line_begins_anew_after_a_reset() => Assert.Equal("""{"b":"2"}""", Written(line =>
    {
        line.WriteStartObject();
        line.WriteNumber(A, 1);
        line.Reset();
        line.WriteStartObject();
        line.WriteString(B, "2"u8);
        line.WriteEndObject();
    }));
}
