using System.Collections.Frozen;
using System.Text;

namespace Nfr.Scoring.Names;

/// <summary>
/// Registered domains of services that half of all devices call by a timer: systems' updates, time, push messages, certificate status, virus scanners, browsers and office
/// suites. Each is the operator's own and lets no stranger put a server under it, so a beacon there says nothing; domains under which anybody may host are left out.
/// </summary>
static class WellKnownServices
{
    const string Text =
        "microsoft.com windows.com windowsupdate.com msftncsi.com msftconnecttest.com office.com office.net office365.com live.com msn.com bing.com skype.com msedge.net " +
        "microsoftonline.com visualstudio.com apple.com icloud.com mzstatic.com aaplimg.com apple-dns.net google.com gstatic.com googleapis.com gvt1.com gvt2.com " +
        "android.com youtube.com ytimg.com doubleclick.net google-analytics.com googletagmanager.com crashlytics.com mozilla.org mozilla.com firefox.com mozilla.net " +
        "opera.com brave.com ubuntu.com canonical.com debian.org fedoraproject.org centos.org redhat.com archlinux.org opensuse.org suse.com alpinelinux.org kernel.org freebsd.org " +
        "snapcraft.io flathub.org adobe.com oracle.com java.com intel.com nvidia.com amd.com dell.com hp.com lenovo.com cisco.com ui.com synology.com " +
        "ntp.org pool.ntp.org digicert.com letsencrypt.org lencr.org sectigo.com comodoca.com globalsign.com globalsign.net entrust.net godaddy.com pki.goog amazontrust.com identrust.com " +
        "symantec.com norton.com mcafee.com kaspersky.com eset.com avast.com avg.com avira.com bitdefender.com sophos.com malwarebytes.com trendmicro.com crowdstrike.com cloudsink.net sentinelone.net " +
        "facebook.com fbcdn.net whatsapp.com whatsapp.net instagram.com messenger.com signal.org slack.com zoom.us webex.com spotify.com netflix.com nflxvideo.net tiktokv.com snapchat.com " +
        "twitter.com x.com linkedin.com pinterest.com yahoo.com wechat.com qq.com viber.com dropbox.com dropboxapi.com box.com evernote.com atlassian.com " +
        "amazon.com amazon-adsystem.com samsung.com samsungcloud.com samsungotn.net lge.com lgtvsdp.com roku.com sonos.com sony.com playstation.net playstation.com xboxlive.com nintendo.net steampowered.com steamserver.net epicgames.com " +
        "logitech.com tp-link.com tplinkcloud.com tuyaeu.com tuyaus.com meraki.com fritz.box avm.de philips-hue.com meethue.com nest.com ring.com sentry.io newrelic.com datadoghq.com grammarly.com grammarly.io";

    static readonly FrozenSet<ulong> s_names = Text.Split(' ').Select(n => Tables.Mix.OfName(Encoding.ASCII.GetBytes(n))).ToFrozenSet();

    /// <param name="name">A <see cref="Tables.Mix.OfName"/> of a registered domain.</param>
    public static bool Has(ulong name) => s_names.Contains(name);
}
