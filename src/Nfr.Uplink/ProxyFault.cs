using System.Globalization;

namespace Nfr.Uplink;

/// <summary>Says what a proxy refuses, so that nobody looks for the fault at the server behind it.</summary>
static class ProxyFault
{
    /// <param name="fault">Of a tunnel that the proxy did not open.</param>
    /// <param name="proxy">"host:port".</param>
    /// <param name="host">Who was asked for.</param>
    public static string Describe(HttpRequestException fault, string proxy, string host) => Describe((int?)fault.StatusCode ?? StatusIn(fault.Message), proxy, host);

    /// <param name="status">Of the proxy's answer; 0 = not known.</param>
    /// <param name="proxy">"host:port".</param>
    /// <param name="host">Who was asked for.</param>
    public static string Describe(int status, string proxy, string host) => status switch
    {
        407 => $"the proxy {proxy} wants a user and password, or others than it was given (407)",
        403 => $"the proxy {proxy} does not allow connections to {host} (403)",
        502 or 503 or 504 => $"the proxy {proxy} cannot reach {host} ({status})",
        0 => $"the proxy {proxy} refused the connection to {host}",
        _ => $"the proxy {proxy} refused the connection to {host} ({status})",
    };

    /// <summary>The platform has the status in its sentence alone: the last number of three digits in it, in quotes or after a comma.</summary>
    static int StatusIn(string message)
    {
        int end = message.Length;
        while (end > 0 && !char.IsAsciiDigit(message[end - 1])) end--;
        int start = end;
        while (start > 0 && char.IsAsciiDigit(message[start - 1])) start--;
        return end - start == 3 && int.TryParse(message.AsSpan(start, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int status) ? status : 0;
    }
}
