import Bytes

/// Browsers, systems and machines as user agents name them. They describe how browsers are built,
/// so they belong to the code; names of programs change by the week and are data (`Lists`).
enum AgentTables {
    /// A browser: the token that shows it, its name, and its name on phones where that differs.
    struct Browser: Sendable {
        let token: StaticString
        let name: StaticString
        let mobileName: StaticString?
        /// What stands before its version where the token itself does not.
        let versionToken: StaticString?

        init(
            _ token: StaticString,
            _ name: StaticString,
            mobile: StaticString? = nil,
            version: StaticString? = nil
        ) {
            self.token = token
            self.name = name
            mobileName = mobile
            versionToken = version
        }
    }

    /// An operating system: the token that shows it and its name. The version follows the token.
    struct System: Sendable {
        let token: StaticString
        let name: StaticString

        init(_ token: StaticString, _ name: StaticString) {
            self.token = token
            self.name = name
        }
    }

    /// The most specific first: every browser also claims to be those below it.
    static let browsers: [Browser] =
        applications + vendorBrowsers + desktopBrowsers + engines

    private static let applications: [Browser] = [
        Browser("fban/messenger", "Facebook Messenger", version: "fbav/"),
        Browser("fban/", "Facebook App", version: "fbav/"),
        Browser("fb_iab", "Facebook App", version: "fbav/"),
        Browser("instagram ", "Instagram"), Browser("snapchat/", "Snapchat"),
        Browser("micromessenger/", "WeChat"), Browser("<line/", "LINE"),
        Browser("musical_ly", "TikTok"), Browser("<trill_", "TikTok"),
        Browser("bytedancewebview", "TikTok"), Browser("[pinterest", "Pinterest"),
        Browser("twitter for", "Twitter"), Browser("twitterandroid", "Twitter"),
        Browser("linkedinapp", "LinkedIn"), Browser("kakaotalk", "KakaoTalk"),
        Browser("naver(inapp", "NAVER"), Browser("<viber", "Viber"),
        Browser("<teams/", "Microsoft Teams"), Browser("slack_ssb/", "Slack"),
        Browser("spotify/", "Spotify"), Browser("<gsa/", "Google"),
        Browser("camscanner", "CamScanner"), Browser("weibo", "Weibo"),
        Browser("roblox/", "Roblox App"), Browser("obs/", "OBS Studio"),
        Browser("thunderbird/", "Thunderbird"), Browser("adobeair/", "AdobeAIR"),
        Browser("microsoft outlook", "Outlook"), Browser("telegram", "Telegram"),
        Browser("fb_iab/messenger", "Facebook Messenger", version: "fbav/"),
        Browser("valve steam", "Steam Client"), Browser("alipayclient", "Alipay"),
        Browser("ecosia", "Ecosia"),
        Browser("duckduckgo/", "DuckDuckGo", mobile: "DuckDuckGo Mobile"),
        Browser("<ddg/", "DuckDuckGo", mobile: "DuckDuckGo Mobile"),
    ]

    private static let vendorBrowsers: [Browser] = [
        Browser("edgios/", "Edge", mobile: "Edge Mobile"),
        Browser("edga/", "Edge", mobile: "Edge Mobile"),
        Browser("edg/", "Edge", mobile: "Edge Mobile"),
        Browser("<edge/", "Edge", mobile: "Edge Mobile"),
        Browser("opr/", "Opera", mobile: "Opera Mobile"),
        Browser("opt/", "Opera Touch"), Browser("opios/", "Opera Mini"),
        Browser("opera mini/", "Opera Mini"),
        Browser("opera mobi", "Opera Mobile", version: "version/"),
        Browser("yabrowser/", "Yandex Browser"), Browser("yasearchbrowser/", "Yandex Search"),
        Browser("samsungbrowser/", "Samsung Internet"), Browser("ucbrowser/", "UC Browser"),
        Browser("uc browser", "UC Browser"), Browser("ucweb", "UC Browser"),
        Browser("miuibrowser/", "MiuiBrowser"), Browser("huaweibrowser/", "Huawei Browser"),
        Browser("vivobrowser/", "Vivo Browser"), Browser("heytapbrowser/", "HeyTap Browser"),
        Browser("oculusbrowser/", "Oculus Browser"), Browser("mqqbrowser/", "QQ Browser Mobile"),
        Browser("qqbrowser/", "QQ Browser"), Browser("baidubrowser", "Baidu Browser"),
        Browser("baiduboxapp", "Baidu"), Browser("<silk/", "Amazon Silk"),
        Browser("puffin/", "Puffin"), Browser("coc_coc_browser/", "Coc Coc"),
        Browser("whale/", "Whale"), Browser("vivaldi/", "Vivaldi"), Browser("<brave", "Brave"),
        Browser("sleipnir/", "Sleipnir"), Browser("maxthon", "Maxthon"),
        Browser("phantom/", "Phantom"), Browser("ccleaner/", "CCleaner"),
        Browser("avast/", "Avast Secure Browser"), Browser("avg/", "AVG Secure Browser"),
        Browser("avira/", "Avira"), Browser("norton/", "Norton Secure Browser"),
        Browser("dragon/", "Comodo Dragon"), Browser("slbrowser/", "Smart Lenovo Browser"),
        Browser("honorbrowser/", "Honor Browser"), Browser("alohabrowser/", "Aloha Browser"),
        Browser("coolnovo/", "CoolNovo"), Browser("lbbrowser", "Liebao"),
        Browser("mrchrome", "Mail.ru Chromium"), Browser("atcontent/", "AtContent"),
        Browser("agency/", "Agency"), Browser("herring/", "Herring"),
        Browser("viasat/", "Viasat Browser"), Browser("unique/", "Unique"),
        Browser("config/", "Config"), Browser("openwave/", "Open Wave"),
        Browser("hibrowser/", "HiBrowser"), Browser("360se", "360 Secure Browser"),
        Browser("tesla/", "Tesla"), Browser("sailfishbrowser/", "Sailfish Browser"),
        Browser("<iron", "SRWare Iron"),
        Browser("metasr", "Sogou Explorer"), Browser("theworld", "TheWorld"),
        Browser("electron/", "Electron"), Browser("fxios/", "Firefox iOS"),
        Browser("crios/", "Chrome", mobile: "Chrome Mobile iOS"),
        Browser("klar/", "Firefox Klar"), Browser("<focus/", "Firefox Focus"),
    ]

    private static let desktopBrowsers: [Browser] = [
        Browser("seamonkey/", "SeaMonkey"), Browser("palemoon/", "Pale Moon"),
        Browser("waterfox/", "Waterfox"), Browser("iceweasel/", "Iceweasel"),
        Browser("icecat/", "IceCat"), Browser("iceape/", "Iceape"), Browser("camino/", "Camino"),
        Browser("k-meleon/", "K-Meleon"), Browser("flock/", "Flock"), Browser("galeon/", "Galeon"),
        Browser("lunascape", "Lunascape"), Browser("slimbrowser", "SlimBrowser"),
        Browser("epiphany/", "Epiphany"), Browser("falkon/", "Falkon"),
        Browser("qupzilla/", "QupZilla"), Browser("konqueror/", "Konqueror"),
        Browser("midori/", "Midori"), Browser("otter/", "Otter"), Browser("rekonq", "Rekonq"),
        Browser("conkeror", "Conkeror"), Browser("mypal/", "Mypal"), Browser("dolfin/", "Dolfin"),
        Browser("kazehakase/", "Kazehakase"), Browser("snowshoe/", "Snowshoe"),
        Browser("ladybird/", "Ladybird"), Browser("swiftfox", "Swiftfox"),
        Browser("firebird/", "Firebird"), Browser("ghostery", "Ghostery"),
        Browser("ordissimo/", "Ordissimo"), Browser("owb/", "Odyssey Web Browser"),
        Browser("netfront/", "NetFront"), Browser("lynx/", "Lynx"),
        Browser("qtwebengine/", "QtWebEngine"), Browser("arora/", "Arora"),
        Browser("omniweb/", "OmniWeb"),
        Browser("kindle/", "Kindle"), Browser("nokiabrowser/", "Nokia Browser"),
        Browser("blackberry", "BlackBerry", version: "version/"),
        Browser("<bb10", "BlackBerry", version: "version/"),
        Browser("<rim tablet", "BlackBerry", version: "version/"),
        Browser("playstation", "PlayStation"), Browser("nintendo", "Nintendo"),
        Browser("netscape", "Netscape"), Browser("fennec/", "Fennec"),
        Browser("^opera/", "Opera", version: "version/"), Browser("opera ", "Opera"),
    ]

    private static let engines: [Browser] = [
        Browser("firefox/", "Firefox", mobile: "Firefox Mobile"),
        Browser("iemobile/", "IE Mobile"), Browser("msie ", "IE"),
        Browser("trident/", "IE", version: "rv:"),
        Browser("; wv)", "Chrome", mobile: "Chrome Mobile WebView", version: "chrome/"),
        Browser("chromium/", "Chromium"), Browser("chrome/", "Chrome", mobile: "Chrome Mobile"),
        Browser("safari", "Safari", mobile: "Mobile Safari", version: "version/"),
        Browser("applewebkit/", "WebKit", mobile: "Mobile Safari UI/WKWebView"),
        Browser("rv:", "Mozilla"),
    ]

    /// The most specific first.
    static let systems: [System] = [
        System("windows phone", "Windows Phone"), System("xbox", "Xbox"),
        System("playstation", "PlayStation"), System("nintendo", "Nintendo"),
        System("web0s", "webOS"), System("webos", "webOS"), System("hpwos", "webOS"),
        System("tizen", "Tizen"), System("kaios", "KaiOS"), System("harmonyos", "HarmonyOS"),
        System("openharmony", "HarmonyOS"), System("cros ", "ChromeOS"),
        System("iphone os", "iOS"), System("cpu os", "iOS"), System("iphone", "iOS"),
        System("ipad", "iOS"), System("android", "Android"), System("<bb10", "BlackBerry"),
        System("blackberry", "BlackBerry"), System("symbian", "Symbian"),
        System("series60", "Symbian"),
        System("<s60", "Symbian"), System("<bada", "Bada"), System("windows nt", "Windows"),
        System("windows", "Windows"), System("<win16", "Windows"), System("mac os x", "macOS"),
        System("mac os", "macOS"), System("macintosh", "macOS"), System("darwin/", "macOS"),
        System("freebsd", "FreeBSD"), System("openbsd", "OpenBSD"), System("netbsd", "NetBSD"),
        System("sunos", "Solaris"), System("fedora", "Fedora"), System("ubuntu", "Ubuntu"),
        System("linux", "Linux"), System("<x11", "Unix"),
    ]

    private static let machines: [(MachineHints, [StaticString])] = [
        (
            .television,
            [
                "smart-tv", "smarttv", "smarthub", "web0s", "bravia", "appletv", "apple tv",
                "crkey", "roku", "hbbtv", "googletv", "google tv", "android tv", "viziodtv",
                "vizio", "netcast", "<tv safari", "<aft", "dtv>", "<tv>", "inettvbrowser",
                "internet tv", "viera", "aquos-",
            ]
        ),
        (.console, ["playstation", "xbox", "nintendo"]),
        (
            .tablet,
            [
                "ipad", "tablet", "kindle", "playbook", "nexus 7", "nexus 9", "nexus 10", "<sm-t",
                "<sm-x", "<gt-p", "<kf", "mediapad", "matepad", "lenovo tab", "galaxy tab", "xoom",
            ]
        ),
        (
            .phone,
            [
                "iphone", "ipod", "windows phone", "blackberry", "<bb10", "opera mini", "symbian",
                "series60", "<s60", "kaios", "iemobile", "maemo", "<bada", "palm", "midp",
            ]
        ),
        (.mobile, ["<mobile>", "<mobi>"]), (.android, ["android"]),
        (
            .desktop,
            [
                "windows nt", "macintosh", "cros ", "x11", "windows", "linux x86_64", "linux i686",
                "mac os x",
            ]
        ),
        (.other, ["oculus", "quest ", "tesla/", "<wear", "<watch"]),
    ]

    private static let engineWords: [StaticString] = [
        "applewebkit", "gecko/", "trident/", "presto/", "msie ", "<edge/", "goanna/", "konqueror",
        "khtml", "playstation", "nintendo", "ucbrowser", "uc browser", "netfront", "blackberry",
        "netscape", "^opera/", "servo/", "libweb",
    ]

    /// Every word of the tables.
    static var entries: [AgentEntry] {
        var entries: [AgentEntry] = []
        func add(_ token: StaticString, _ meaning: AgentMeaning) {
            if let entry = AgentEntry("\(token)", meaning) { entries.append(entry) }
        }
        for (index, browser) in browsers.enumerated() { add(browser.token, .browser(UInt8(index))) }
        for (index, system) in systems.enumerated() { add(system.token, .system(UInt8(index))) }
        for (hints, words) in machines { for word in words { add(word, .machine(hints)) } }
        for word in engineWords { add(word, .engine) }
        return entries
    }
}
