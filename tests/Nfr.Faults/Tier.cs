namespace Nfr.Faults;

/// <summary>How long the fault tests run: the CI tier in every run of the tests, the long one by <c>./build.sh --target=FaultsLong</c>.</summary>
static class Tier
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("NFR_FAULTS") == "long";

    /// <summary>The count of the tier that runs.</summary>
    public static int Of(int ci, int @long) => IsLong ? @long : ci;
}
