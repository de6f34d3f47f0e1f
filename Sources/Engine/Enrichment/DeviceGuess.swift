public import Bytes
public import Records

/// What a user agent says about the machine behind it, as far as scoring needs it.
public enum DeviceGuess {
    /// The kind of machine.
    public static func deviceClass(_ userAgent: ByteView) -> Slice.DeviceClass {
        if userAgent.isEmpty { return .unknown }
        if contains(userAgent, "iPad") || contains(userAgent, "Tablet") { return .tablet }
        if contains(userAgent, "Mobi") || contains(userAgent, "iPhone") { return .phone }
        // Android without `Mobile` is a tablet, by Google's own convention.
        return contains(userAgent, "Android") ? .tablet : .desktop
    }

    /// Whether the user agent names a program rather than a person's browser.
    public static func isAutomated(_ userAgent: ByteView) -> Bool {
        if userAgent.isEmpty { return true }
        for word in automationWords where contains(userAgent, word) { return true }
        return false
    }

    private static let automationWords: [StaticString] = [
        "bot", "Bot", "crawler", "spider", "Headless", "headless", "python-", "curl/", "Wget",
        "Go-http-client", "Java/", "okhttp", "PhantomJS", "Lighthouse", "facebookexternalhit",
    ]

    private static func contains(_ text: ByteView, _ word: StaticString) -> Bool {
        let wanted = ByteView(word)
        var start = 0
        while let found = text.firstIndex(of: wanted[0], from: start) {
            if found + wanted.count > text.count { return false }
            if text[found..<found + wanted.count].equals(wanted) { return true }
            start = found + 1
        }
        return false
    }
}
