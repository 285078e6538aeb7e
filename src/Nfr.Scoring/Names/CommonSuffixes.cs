namespace Nfr.Scoring.Names;

/// <summary>The suffixes that serve where Debian's publicsuffix is not installed: top-level domains in wide use and the common ones of more labels.</summary>
static class CommonSuffixes
{
    public const string Text =
        "com net org edu gov mil int arpa info biz name pro aero coop museum mobi asia tel travel jobs cat post xxx app art bar bet bid blog " +
        "buzz cam care cc cf cfd click cloud club codes company cyou design dev digital email expert family fans finance fit fun fyi ga games " +
        "global gq group guru help host hosting icu ink io site online store shop space tech top xyz website live life link loan lol ltd " +
        "market media men ml mom monster network news ninja one page party photo pics plus press pub quest rest review rocks run sbs science " +
        "services social solutions stream studio style su support surf systems team today tokyo tools trade tube uno us vip vin vote wang " +
        "webcam wiki win work works world wtf zip zone ac ad ae af ag ai al am ao ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br " +
        "bs bt bw by bz ca cd cg ch ci cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr gb gd ge gf gg " +
        "gh gi gl gm gn gp gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc " +
        "li lk lr ls lt lu lv ly ma mc md me mg mh mk mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf " +
        "pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl " +
        "tm tn to tr tt tv tw tz ua ug uk uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw " +
        "co.uk org.uk me.uk ltd.uk plc.uk net.uk ac.uk gov.uk nhs.uk sch.uk com.au net.au org.au edu.au gov.au id.au asn.au co.nz net.nz " +
        "org.nz govt.nz ac.nz co.za org.za net.za gov.za ac.za co.jp ne.jp or.jp ac.jp go.jp ad.jp ed.jp gr.jp lg.jp co.kr ne.kr or.kr re.kr " +
        "go.kr ac.kr com.cn net.cn org.cn gov.cn edu.cn ac.cn com.tw net.tw org.tw edu.tw gov.tw com.hk net.hk org.hk edu.hk gov.hk com.sg " +
        "net.sg org.sg edu.sg gov.sg com.my net.my org.my edu.my gov.my co.id or.id go.id ac.id web.id co.th or.th go.th ac.th in.th com.vn " +
        "net.vn org.vn edu.vn gov.vn com.ph net.ph org.ph gov.ph co.in net.in org.in firm.in gen.in ind.in ac.in edu.in gov.in nic.in com.pk " +
        "net.pk org.pk gov.pk com.bd com.np com.lk com.br net.br org.br gov.br edu.br com.ar net.ar org.ar gob.ar edu.ar com.mx org.mx gob.mx " +
        "edu.mx com.co net.co org.co gov.co edu.co com.pe com.ve com.ec com.uy com.py com.bo com.gt com.tr net.tr org.tr gov.tr edu.tr co.il " +
        "org.il net.il ac.il gov.il com.sa com.eg com.kw com.qa com.ng com.gh co.ke or.ke ac.ke co.tz co.ug com.ua net.ua org.ua gov.ua kiev.ua " +
        "in.ua com.ru net.ru org.ru com.pl net.pl org.pl edu.pl gov.pl waw.pl co.at or.at ac.at gv.at co.hu com.ro com.gr edu.gr gov.gr com.cy " +
        "com.mt com.pt com.es org.es gob.es edu.es com.fr asso.fr gouv.fr com.de co.it gov.it edu.it in-addr.arpa ip6.arpa";

    /// <summary>Those that companies run.</summary>
    public const string Private =
        "duckdns.org ddns.net no-ip.org no-ip.com no-ip.biz hopto.org zapto.org sytes.net dyndns.org dynu.net freeddns.org mooo.com myftp.org " +
        "servebeer.com serveftp.com redirectme.net blogspot.com github.io gitlab.io herokuapp.com netlify.app vercel.app pages.dev workers.dev " +
        "web.app firebaseapp.com appspot.com azurewebsites.net cloudapp.net cloudfront.net s3.amazonaws.com r2.dev trycloudflare.com ngrok.io " +
        "ngrok-free.app fly.dev onrender.com repl.co glitch.me wixsite.com weebly.com myshopify.com fastly.net akamaized.net b-cdn.net";
}
