namespace Nfr.Scoring.Indicators;

/// <summary>Domains that everybody's machines visit all day: a list of bad things that names one of them whole is mistaken. Lists named trusted* add to these.</summary>
static class PopularDomains
{
    public const string Text =
        "google.com googleapis.com gstatic.com googleusercontent.com googlevideo.com youtube.com ytimg.com ggpht.com doubleclick.net gmail.com " +
        "android.com microsoft.com microsoftonline.com live.com office.com office.net office365.com outlook.com windows.com windowsupdate.com " +
        "windows.net bing.com skype.com msn.com azure.com sharepoint.com apple.com icloud.com mzstatic.com aaplimg.com amazon.com amazonaws.com " +
        "cloudfront.net media-amazon.com facebook.com fbcdn.net instagram.com whatsapp.com whatsapp.net twitter.com x.com twimg.com linkedin.com " +
        "licdn.com tiktok.com tiktokcdn.com netflix.com nflxvideo.net spotify.com scdn.co akamai.net akamaiedge.net akamaized.net edgekey.net " +
        "cloudflare.com cloudflare.net fastly.net github.com githubusercontent.com gitlab.com wikipedia.org wikimedia.org mozilla.org mozilla.com " +
        "firefox.com yahoo.com ebay.com paypal.com adobe.com dropbox.com zoom.us slack.com discord.com reddit.com redd.it pinterest.com yandex.ru " +
        "yandex.net vk.com mail.ru baidu.com qq.com taobao.com alibaba.com aliyuncs.com bilibili.com weibo.com ubuntu.com debian.org python.org " +
        "npmjs.org nuget.org docker.com docker.io oracle.com ibm.com cisco.com samsung.com nvidia.com intel.com root-servers.net ntp.org w3.org";
}
