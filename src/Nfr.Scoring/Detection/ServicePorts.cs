using Nfr.Events;

namespace Nfr.Scoring.Detection;

/// <summary>Which port belongs to what (IANA's registry, and custom), as far as detectors ask.</summary>
static class ServicePorts
{
    /// <summary>Ports on which SSH is no surprise: its own, those people choose beside it, and that of code review servers.</summary>
    public static bool IsOfSsh(ushort port) => port is 22 or 2222 or 2200 or 22222 or 29418 or 8022 or 10022;

    /// <summary>Ports so much one protocol's that another one there wants to pass for it, or to pass a filter.</summary>
    public static bool IsTaken(ushort port) =>
        port is 20 or 21 or 22 or 23 or 25 or 53 or 80 or 110 or 119 or 123 or 143 or 161 or 389 or 443 or 445 or 465 or 587 or 636 or 853 or 989 or 990 or 993 or 995 or 1433 or 3306 or 3389 or 5060 or 5061 or 5432;

    /// <summary>Whether a protocol that the content names is at home on a port; protocols not asked about always are.</summary>
    public static bool IsHomeOf(App app, ushort port) => app switch
    {
        App.Ssh => IsOfSsh(port),
        App.Rdp => port is 3389 or 3388 or 3390,
        App.Smb => port is 445 or 139,
        App.Irc => port is (>= 6660 and <= 6669) or 6697 or 7000 or 194,
        App.Ftp => port is 21 or 990 or 2121,
        App.Telnet => port is 23 or 2323 or 992,
        App.Vnc => port is >= 5800 and <= 5999,
        App.Smtp => port is 25 or 465 or 587 or 2525 or 26,
        App.Pop3 => port is 110 or 995,
        App.Imap => port is 143 or 993,
        App.Ldap => port is 389 or 636 or 3268 or 3269,
        App.Socks => port is 1080 or 1081 or 9050 or 9150,
        App.Dns => port is 53 or 5353 or 5355,
        // Web on its own ports, and on those where proxies and devices put it; it is anybody's guess above 1024.
        App.Http => port is 80 or 631 or 591 or > 1024,
        // STARTTLS changes to it on the ports of mail, directories and databases.
        App.Tls => port is not (20 or 22 or 23 or 53 or 80 or 123 or 161 or 445),
        _ => true,
    };

    /// <summary>
    /// Services for inside a site: what goes to the Internet there is an attack's way out or a mistake. 389 and 1389 are where a vulnerable logger is told to fetch code from.
    /// </summary>
    /// <returns>Severity; 0 when the port is nothing of the kind.</returns>
    public static int Unusual(ushort port) => port switch
    {
        389 or 1389 => 3,
        135 or 137 or 138 or 139 or 445 or 2049 or 3389 or 4444 or 5985 or 5986 or 111 or 512 or 513 or 514 => 2,
        _ => 0,
    };

    /// <summary>Server ports that many kinds of software use outside; connections there are no sign of anything.</summary>
    public static bool IsCommon(ushort port) =>
        IsTaken(port) || IsOfSsh(port)
        || port is 43 or 81 or 88 or 554 or 563 or 843 or 873 or 1080 or 1194 or 1701 or 1723 or 1883 or 1935 or 2525 or 3000 or 3128 or 3478 or 3479 or 4500 or 5000 or 5001 or 5190 or 5222 or 5223 or 5228
            or 5229 or 5230 or 5349 or 5671 or 5672 or 5938 or 6379 or 7000 or 7070 or 8000 or 8001 or 8008 or 8009 or 8080 or 8081 or 8088 or 8090 or 8443 or 8444 or 8530 or 8531 or 8880 or 8883 or 8888 or 9000
            or 9001 or 9090 or 9091 or 9200 or 9418 or 9443 or 10000 or 11371 or 19302 or 27017 or 50001;
}
