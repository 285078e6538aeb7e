using System.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>Where a value lies in a document.</summary>
readonly record struct FieldValue(int At, int Length, JsonKind Kind, bool Escaped);

/// <summary>
/// The paths that are looked for, by their parts: a document is walked once, whether it says {"source":{"ip":…}}, {"source.ip":…} or anything between.
/// </summary>
sealed class FieldTree
{
    /// <summary>Objects within objects; what lies deeper is not looked at.</summary>
    const int MaxDepth = 16;

    readonly Node _root = new();
    readonly int _slots;

    sealed class Node
    {
        public readonly List<(byte[] Name, Node Node)> Children = [];
        public readonly List<int> Slots = [];
    }

    /// <param name="paths">Dotted; the place of each is the place of its value.</param>
    public FieldTree(IReadOnlyList<string> paths)
    {
        _slots = paths.Count;
        for (int i = 0; i < paths.Count; i++)
        {
            Node node = _root;
            foreach (string part in paths[i].Split('.'))
            {
                byte[] name = Encoding.UTF8.GetBytes(part);
                Node? child = Child(node, name);
                if (child is null) node.Children.Add((name, child = new Node()));
                node = child;
            }
            node.Slots.Add(i);
        }
    }

    /// <summary>Finds the values of an object: of an array its first value, of a path that is said twice the first. False when it is no JSON.</summary>
    /// <param name="json">The object; values are places in it.</param>
    /// <param name="values">As many as there are paths; <see cref="JsonKind.None"/> where a document has none.</param>
    public bool Read(ReadOnlySpan<byte> json, Span<FieldValue> values)
    {
        values[.._slots].Clear();
        return Walk(_root, json, json, values, 0);
    }

    static bool Walk(Node node, ReadOnlySpan<byte> whole, ReadOnlySpan<byte> json, Span<FieldValue> values, int depth)
    {
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (Find(node, key) is not { } found) continue;
            if (value.Kind == JsonKind.Array && found.Children.Count > 0 && First(value.Bytes) is { Kind: JsonKind.Object } first)
            {
                if (depth < MaxDepth && !Walk(found, whole, first.Bytes, values, depth + 1)) return false;
            }
            else if (value.Kind == JsonKind.Object && found.Children.Count > 0)
            {
                if (depth < MaxDepth && !Walk(found, whole, value.Bytes, values, depth + 1)) return false;
            }
            // A word such as true has no bytes, and lies anywhere.
            int at = 0;
            if (value.Kind is JsonKind.Null || found.Slots.Count == 0 || (!value.Bytes.IsEmpty && !whole.Overlaps(value.Bytes, out at))) continue;
            foreach (int slot in found.Slots)
            {
                if (values[slot].Kind == JsonKind.None) values[slot] = new FieldValue(at, value.Bytes.Length, value.Kind, value.Escaped);
            }
        }
        return !reader.Failed;
    }

    /// <summary>The node of a key, which may have dots in it.</summary>
    static Node? Find(Node node, ReadOnlySpan<byte> key)
    {
        while (true)
        {
            int dot = key.IndexOf((byte)'.');
            if (Child(node, dot < 0 ? key : key[..dot]) is not { } child) return null;
            if (dot < 0) return child;
            node = child;
            key = key[(dot + 1)..];
        }
    }

    static Node? Child(Node node, ReadOnlySpan<byte> name)
    {
        foreach ((byte[] known, Node child) in node.Children)
        {
            if (name.SequenceEqual(known)) return child;
        }
        return null;
    }

    public static JsonRaw First(ReadOnlySpan<byte> array)
    {
        JsonLineReader list = JsonLineReader.Array(array);
        return list.Next(out JsonRaw value) ? value : default;
    }
}
