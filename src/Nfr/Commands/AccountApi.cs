using Nfr.Uplink;

namespace Nfr.Commands;

/// <summary>An engine's answer: a value, or an error in one line that says what to do.</summary>
public readonly record struct AccountAnswer<T>(T? Value, string? Error)
    where T : class
{
    public static implicit operator AccountAnswer<T>(T value) => new(value, null);
}

/// <summary>Nothing but "yes".</summary>
public sealed record AccountDone;

/// <summary>Who registers.</summary>
public sealed record AccountDetails(string Name, string Email);

/// <summary>The account calls of one engine. Keys are passed in because registering begins without one.</summary>
public sealed record AccountApi
{
    /// <summary>POST key/request: a new key.</summary>
    public required Func<CancellationToken, AccountAnswer<string>> RequestKey { get; init; }
    /// <summary>POST account/register, by key.</summary>
    public required Func<string, AccountDetails, CancellationToken, AccountAnswer<AccountDone>> Register { get; init; }
    /// <summary>POST key/reset, by e-mail address.</summary>
    public required Func<string, CancellationToken, AccountAnswer<AccountDone>> Reset { get; init; }
    /// <summary>GET account/status, by key.</summary>
    public required Func<string, CancellationToken, AccountAnswer<AccountStatus>> Status { get; init; }
}
