import Bytes

/// What kind of place a source is.
enum SourceKind: UInt8 {
    case search, social, assistant, email, messaging, other
}

/// Places that many visitors come from, by host or by the name that campaigns call them.
enum SourceTable {
    struct Row: Sendable {
        /// A domain (`t.co`); a label that any top-level domain may follow (`google.`); or the name
        /// that a campaign uses (`fb`).
        let key: StaticString
        let name: StaticString
        let kind: SourceKind

        init(_ key: StaticString, _ name: StaticString, _ kind: SourceKind) {
            self.key = key
            self.name = name
            self.kind = kind
        }
    }

    /// The first row that `text`, a host or a name, belongs to.
    static func row(_ text: ByteView) -> Row? {
        if text.isEmpty { return nil }
        for row in rows where matches(text, ByteView(row.key)) { return row }
        return nil
    }

    private static func matches(_ text: ByteView, _ key: ByteView) -> Bool {
        guard key[key.count &- 1] == UInt8(ascii: ".") else { return Address.isWithin(text, key) }
        let label = key[0..<key.count &- 1]
        if Address.isWithin(text, label) { return true }
        return hasLabel(text, label)
    }

    /// Whether `label` stands in `host` with a top-level domain of one or two labels behind it, as
    /// in `www.google.co.uk`, and not somewhere in front, as in `google.evil.example.com`.
    private static func hasLabel(_ host: ByteView, _ label: ByteView) -> Bool {
        var end = host.count
        for _ in 0..<2 {
            guard let dot = lastDot(host, before: end), end &- dot <= 4 else { return false }
            if Address.isWithin(host[0..<dot], label) { return true }
            end = dot
        }
        return false
    }

    private static func lastDot(_ host: ByteView, before end: Int) -> Int? {
        var index = end
        while index > 0 {
            index &-= 1
            if host[index] == UInt8(ascii: ".") { return index }
        }
        return nil
    }

    /// Narrower places first: `mail.google.com` is not the search engine.
    private static let rows: [Row] = assistants + mail + messengers + social + search

    private static let assistants: [Row] = [
        Row("chatgpt.com", "chatgpt", .assistant), Row("chat.openai.com", "chatgpt", .assistant),
        Row("chatgpt", "chatgpt", .assistant), Row("openai", "chatgpt", .assistant),
        Row("perplexity.ai", "perplexity", .assistant),
        Row("perplexity", "perplexity", .assistant), Row("claude.ai", "claude", .assistant),
        Row("claude", "claude", .assistant), Row("gemini.google.com", "gemini", .assistant),
        Row("bard.google.com", "gemini", .assistant), Row("gemini", "gemini", .assistant),
        Row("notebooklm.google.com", "notebooklm", .assistant),
        Row("copilot.microsoft.com", "copilot", .assistant),
        Row("copilot.com", "copilot", .assistant), Row("copilot", "copilot", .assistant),
        Row("chat.mistral.ai", "mistral", .assistant), Row("mistral", "mistral", .assistant),
        Row("chat.deepseek.com", "deepseek", .assistant),
        Row("deepseek", "deepseek", .assistant), Row("grok.com", "grok", .assistant),
        Row("grok", "grok", .assistant), Row("you.com", "you", .assistant),
        Row("poe.com", "poe", .assistant), Row("meta.ai", "meta-ai", .assistant),
        Row("phind.com", "phind", .assistant), Row("kimi.com", "kimi", .assistant),
    ]

    private static let mail: [Row] = [
        Row("mail.google.com", "gmail", .email), Row("com.google.android.gm", "gmail", .email),
        Row("mail.yahoo.com", "yahoo-mail", .email), Row("outlook.live.com", "outlook", .email),
        Row("outlook.office.com", "outlook", .email),
        Row("outlook.office365.com", "outlook", .email), Row("mail.aol.com", "aol-mail", .email),
        Row("mail.ru", "mail.ru", .email), Row("mail.yandex.ru", "yandex-mail", .email),
        Row("mail.proton.me", "proton", .email), Row("mail.qq.com", "qq-mail", .email),
        Row("navigator.gmx.net", "gmx", .email), Row("webmail.freenet.de", "freenet", .email),
        Row("email", "email", .email), Row("newsletter", "newsletter", .email),
        Row("mailchimp", "mailchimp", .email), Row("klaviyo", "klaviyo", .email),
        Row("brevo", "brevo", .email), Row("sendgrid", "sendgrid", .email),
    ]

    private static let messengers: [Row] = [
        Row("web.whatsapp.com", "whatsapp", .messaging),
        Row("wa.me", "whatsapp", .messaging), Row("whatsapp", "whatsapp", .messaging),
        Row("web.telegram.org", "telegram", .messaging), Row("t.me", "telegram", .messaging),
        Row("org.telegram.messenger", "telegram", .messaging),
        Row("telegram", "telegram", .messaging), Row("messenger.com", "messenger", .messaging),
        Row("l.messenger.com", "messenger", .messaging), Row("sms", "sms", .messaging),
        Row("app.slack.com", "slack", .messaging), Row("com.slack", "slack", .messaging),
        Row("teams.microsoft.com", "teams", .messaging),
        Row("discord.com", "discord", .messaging), Row("line.me", "line", .messaging),
        Row("signal", "signal", .messaging),
    ]

    private static let social: [Row] = [
        Row("facebook.com", "facebook", .social), Row("fb.com", "facebook", .social),
        Row("fb.me", "facebook", .social), Row("com.facebook.katana", "facebook", .social),
        Row("facebook", "facebook", .social), Row("fb", "facebook", .social),
        Row("meta", "facebook", .social), Row("instagram.com", "instagram", .social),
        Row("instagram", "instagram", .social), Row("ig", "instagram", .social),
        Row("threads.net", "threads", .social), Row("threads.com", "threads", .social),
        Row("twitter.com", "twitter", .social), Row("x.com", "twitter", .social),
        Row("t.co", "twitter", .social), Row("twitter", "twitter", .social),
        Row("linkedin.com", "linkedin", .social), Row("lnkd.in", "linkedin", .social),
        Row("com.linkedin.android", "linkedin", .social), Row("linkedin", "linkedin", .social),
        Row("tiktok.com", "tiktok", .social), Row("tiktok", "tiktok", .social),
        Row("youtube.com", "youtube", .social), Row("youtu.be", "youtube", .social),
        Row("youtube", "youtube", .social), Row("reddit.com", "reddit", .social),
        Row("redd.it", "reddit", .social), Row("reddit", "reddit", .social),
        Row("pinterest.", "pinterest", .social), Row("pin.it", "pinterest", .social),
        Row("snapchat.com", "snapchat", .social), Row("snapchat", "snapchat", .social),
        Row("quora.com", "quora", .social), Row("medium.com", "medium", .social),
        Row("tumblr.com", "tumblr", .social), Row("vk.com", "vk", .social),
        Row("ok.ru", "odnoklassniki", .social), Row("weibo.com", "weibo", .social),
        Row("weibo.cn", "weibo", .social), Row("xing.com", "xing", .social),
        Row("bsky.app", "bluesky", .social), Row("mastodon.social", "mastodon", .social),
        Row("news.ycombinator.com", "hacker-news", .social),
        Row("producthunt.com", "product-hunt", .social), Row("nextdoor.com", "nextdoor", .social),
        Row("twitch.tv", "twitch", .social), Row("vimeo.com", "vimeo", .social),
        Row("flipboard.com", "flipboard", .social), Row("disqus.com", "disqus", .social),
    ]

    private static let search: [Row] = [
        Row("com.google.android.googlequicksearchbox", "google", .search),
        Row("google.", "google", .search), Row("adwords", "google", .search),
        Row("bing.", "bing", .search), Row("yahoo.", "yahoo", .search),
        Row("duckduckgo.", "duckduckgo", .search), Row("ecosia.", "ecosia", .search),
        Row("qwant.", "qwant", .search), Row("yandex.", "yandex", .search),
        Row("ya.ru", "yandex", .search), Row("baidu.", "baidu", .search),
        Row("search.brave.com", "brave", .search), Row("startpage.", "startpage", .search),
        Row("naver.", "naver", .search), Row("daum.net", "daum", .search),
        Row("seznam.", "seznam", .search), Row("sogou.com", "sogou", .search),
        Row("so.com", "360", .search), Row("sm.cn", "shenma", .search),
        Row("ask.com", "ask", .search), Row("aol.com", "aol", .search),
        Row("search.marginalia.nu", "marginalia", .search), Row("kagi.com", "kagi", .search),
        Row("mojeek.com", "mojeek", .search), Row("swisscows.com", "swisscows", .search),
        Row("coccoc.com", "coccoc", .search), Row("rambler.ru", "rambler", .search),
        Row("msn.com", "bing", .search),
    ]
}
