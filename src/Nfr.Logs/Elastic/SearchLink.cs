namespace Nfr.Logs;

/// <summary>What searches share: the cluster, the way to the pipeline, and people's log. The searches' thread.</summary>
sealed class SearchLink(ISearchCluster cluster, TimeProvider time, Action<LogNotice> notices)
{
    LogOutlet? _outlet;

    public ISearchCluster Cluster { get; } = cluster;
    public TimeProvider Time { get; } = time;

    public LogOutlet Outlet
    {
        get => _outlet ?? throw new InvalidOperationException("Open comes first.");
        set => _outlet = value;
    }

    public void Say(bool isTrouble, string sentence) => notices(new LogNotice(isTrouble, sentence));

    /// <summary>Sends and waits, while who asks for counts is answered; null when told to stop.</summary>
    public SearchAnswer? Send(SearchRequest request, CancellationToken stop)
    {
        if (stop.IsCancellationRequested) return null;
        Task<SearchAnswer> task = Cluster.SendAsync(request, stop);
        while (Task.WaitAny([task], 50, CancellationToken.None) < 0) Outlet.Between();
        return task.IsCompletedSuccessfully ? task.Result
            : stop.IsCancellationRequested ? null
            : new SearchAnswer { Fault = task.Exception?.InnerException?.Message ?? "the request was given up" };
    }

    /// <summary>Waits until the pipeline has come far enough; false when told to stop.</summary>
    public bool WaitFor(Func<bool> done, CancellationToken stop)
    {
        while (!done())
        {
            if (stop.IsCancellationRequested || Outlet.GaveUp) return false;
            Outlet.Between();
            Thread.Sleep(1);
        }
        return true;
    }
}
