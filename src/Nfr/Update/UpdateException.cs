namespace Nfr.Update;

/// <summary>Why a bundle is not taken or a slot not written, in words for a person: what, where, what to do. Its only catchers are the commands.</summary>
sealed class UpdateException(string message) : Exception(message)
{
    /// <summary>Nothing is wrong: what was brought runs already, or its trial is not over. It is said to who asked, and noted nowhere.</summary>
    public bool IsNoNews { get; init; }
}
