namespace Nfr.Uplink;

/// <summary>How far a bulk of documents came.</summary>
/// <param name="Settled">Documents from the first on that are stored, or refused for ever.</param>
/// <param name="Refused">Index and reason of the documents that are refused for ever, ascending; those beyond <paramref name="Settled"/> too.</param>
/// <param name="Stop">Why the rest is not settled; null = all are.</param>
/// <param name="Any">The cluster has one of the documents at least: so it takes such documents, and refuses these others for what they are.</param>
sealed record BulkOutcome(int Settled, IReadOnlyList<(int Index, string Reason)> Refused, HttpReply? Stop, bool Any);

/// <summary>
/// Brings documents into an index, item by item: a part that is too large is halved down to the document, items that the cluster has no room for now are sent again alone,
/// those that it refuses are named. One bulk at a time.
/// </summary>
sealed class BulkSender(ElasticClient client)
{
    /// <summary>Rounds in which only what was put off is sent again at once; then the caller waits.</summary>
    const int Rounds = 2;
    /// <summary>Of one request, before compression: far below the 100 MB that a cluster takes by default (http.max_content_length).</summary>
    const int MaxRequestBytes = 5 << 20;

    const int MostDocuments = 1000;
    /// <summary>Whole requests of one document refused before it is clear that it is not the documents.</summary>
    const int MostSuspects = 3;

    /// <summary>Documents in one request: shrinks with 413 and with time-outs, and grows again.</summary>
    int _most = MostDocuments;

    public async Task<BulkOutcome> SendAsync(string index, BulkBody body, CancellationToken cancel)
    {
        var open = new List<int>(Enumerable.Range(0, body.Count));
        var refused = new SortedDictionary<int, string>();
        var suspects = new List<int>();
        HttpReply? stop = null, suspicion = null;
        bool any = false;
        for (int round = 0; open.Count > 0 && stop is null && round < Rounds; round++)
        {
            var again = new List<int>();
            int at = 0;
            while (at < open.Count && stop is null)
            {
                List<int> part = open.GetRange(at, Math.Min(Fit(body), open.Count - at));
                BulkReply sent = await client.BulkAsync(index, body.Compress(part), part.Count, cancel);
                if (sent.Answer is { } answer)
                {
                    int before = again.Count;
                    (string? full, HttpReply? fault) = Sort(answer, part, again, refused, ref any);
                    at += part.Count;
                    _most = Math.Min(MostDocuments, _most * 2);
                    // All of it put off: the cluster has no room; do not press it.
                    stop = fault ?? (again.Count - before == part.Count ? Full(part.Count, full) : null);
                }
                else if (sent.Reply.Kind is HttpReplyKind.TooLarge or HttpReplyKind.Refused && part.Count > 1)
                {
                    _most = part.Count / 2;
                }
                else if (sent.Reply.Kind == HttpReplyKind.TooLarge)
                {
                    refused[part[0]] = sent.Reply.Message;
                    at++;
                }
                else if (sent.Reply.Kind == HttpReplyKind.Refused)
                {
                    // A cluster names the items that it does not like; what refuses a whole request is something before it, or our settings.
                    suspicion = sent.Reply;
                    suspects.Add(part[0]);
                    at++;
                    if (suspects.Count >= MostSuspects && !any) stop = sent.Reply;
                }
                else
                {
                    if (sent.Reply.TimedOut) _most = Math.Max(1, part.Count / 2);
                    stop = sent.Reply;
                }
            }
            again.AddRange(open.Skip(at));
            open = again;
        }
        foreach (int suspect in suspects)
        {
            if (any) refused[suspect] = suspicion!.Message;
            else open.Add(suspect);
        }
        if (open.Count == 0) return new BulkOutcome(body.Count, Listed(refused), null, any);
        return new BulkOutcome(open.Min(), Listed(refused), stop ?? (any ? Full(open.Count, null) : suspicion) ?? Full(open.Count, null), any);
    }

    /// <summary>Notes what became of each document of a request; the reason of those that were put off, and what somebody has to put right first.</summary>
    static (string? Full, HttpReply? Fault) Sort(BulkAnswer answer, List<int> part, List<int> again, SortedDictionary<int, string> refused, ref bool any)
    {
        (string? full, HttpReply? fault) = (null, null);
        for (int i = 0; i < part.Count; i++)
        {
            if (answer.Items[i] == BulkItem.Refused) refused[part[i]] = answer.Reasons[i]!;
            else if (answer.Items[i] == BulkItem.Taken) any = true;
            else
            {
                again.Add(part[i]);
                full = answer.Reasons[i];
                if (answer.Items[i] == BulkItem.Denied) fault = new HttpReply { Kind = HttpReplyKind.Denied, Status = 403, Message = $"it answered for a document {full}" };
                else if (answer.Items[i] == BulkItem.Absent) fault = new HttpReply { Kind = HttpReplyKind.Absent, Status = 404, Message = $"it answered for a document {full}" };
            }
        }
        return (full, fault);
    }

    static HttpReply Full(int count, string? reason) =>
        new() { Kind = HttpReplyKind.Throttled, Status = 429, Message = $"it puts off {count:N0} documents{(reason is null ? "" : $" ({reason})")}" };

    static IReadOnlyList<(int, string)> Listed(SortedDictionary<int, string> refused) => [.. refused.Select(r => (r.Key, r.Value))];

    /// <summary>As many documents as fit a request by their mean length.</summary>
    int Fit(BulkBody body) => Math.Max(1, (int)Math.Min(_most, (long)body.Count * MaxRequestBytes / Math.Max(1, body.Length)));
}
