namespace Nfr.Uplink;

/// <summary>Which node is asked next: each in turn, those that failed left alone for a while, and when all have, the one that failed longest ago. Thread-safe.</summary>
sealed class ElasticNodes(IReadOnlyList<Uri> hosts, TimeProvider time)
{
    /// <summary>A node that did not answer is left alone this long, doubled with each failure.</summary>
    public static readonly TimeSpan LeastRest = TimeSpan.FromSeconds(10), MostRest = TimeSpan.FromMinutes(5);

    readonly Lock _lock = new();
    readonly (long RestsFrom, TimeSpan Pause, int Failures)[] _nodes = new (long, TimeSpan, int)[hosts.Count];
    int _next;

    public int Count => hosts.Count;

    public (int Index, Uri Host) Next()
    {
        lock (_lock)
        {
            int longest = -1;
            for (int i = 0; i < hosts.Count; i++)
            {
                int at = (_next + i) % hosts.Count;
                if (_nodes[at].Failures == 0 || time.GetElapsedTime(_nodes[at].RestsFrom) >= _nodes[at].Pause)
                {
                    longest = at;
                    break;
                }
                if (longest < 0 || _nodes[at].RestsFrom < _nodes[longest].RestsFrom) longest = at;
            }
            _next = (longest + 1) % hosts.Count;
            return (longest, hosts[longest]);
        }
    }

    public void Answered(int index)
    {
        lock (_lock) _nodes[index] = default;
    }

    public void Failed(int index)
    {
        lock (_lock)
        {
            int failures = Math.Min(_nodes[index].Failures + 1, 16);
            TimeSpan rest = LeastRest * Math.Pow(2, failures - 1);
            _nodes[index] = (time.GetTimestamp(), rest < MostRest ? rest : MostRest, failures);
        }
    }
}
