/// A tracking link: `/r/<name>` on the ingest port sends on to a page of the owner's choosing, with
/// campaign parameters, so that a newsletter or a printed code need not carry them.
public struct LinkSettings: Sendable, Equatable {
    /// A parameter that is added to the target, its value percent-encoded.
    public struct Parameter: Sendable, Equatable {
        /// The name, such as `utm_source`.
        public let name: String
        /// The value, ready for a query.
        public let value: String
    }

    /// The name in the path, one of its kind over all sites.
    public var name: String
    /// Where it leads: an absolute address of http or https.
    public var target: String
    /// What is added to the target where that does not say it itself.
    public var campaign: [Parameter]
}

/// Reads a site's tracking links.
enum LinkReader {
    static func links(_ site: YAMLSection) -> [LinkSettings] {
        let links = site.sections("links", read)
        if links.count > Limits.siteLinksMaximum {
            site.problem("links", "may list at most \(Limits.siteLinksMaximum)")
        }
        return links
    }

    private static func read(_ section: YAMLSection) -> LinkSettings {
        let name = section.text("name", bytesMaximum: Limits.linkNameBytesMaximum)
        if section.has("name"), !Characters.isSiteKey(name) {
            section.problem("name", "must be 1 to 64 letters, digits, - and _")
        }
        let target = section.text("target", bytesMaximum: Limits.linkTargetBytesMaximum)
        if section.has("target"), !isTarget(target) {
            section.problem("target", "must be a whole address such as https://shop.example/spring")
        }
        return LinkSettings(name: name, target: target, campaign: campaign(section, name))
    }

    /// The link's own name is its campaign where nothing else is said, so that a touch is always
    /// attributed to something.
    private static func campaign(_ section: YAMLSection, _ name: String) -> [LinkSettings.Parameter]
    {
        ["source", "medium", "campaign", "id", "content", "term"].compactMap { key in
            let said = section.text(key, bytesMaximum: Limits.campaignBytesMaximum, default: "")
            let value = said.isEmpty && key == "campaign" ? name : said
            if value.isEmpty { return nil }
            return LinkSettings.Parameter(name: "utm_\(key)", value: encoded(value))
        }
    }

    /// Strict: whatever two readers could understand in two ways could lead somewhere else.
    private static func isTarget(_ text: String) -> Bool {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard let front = parts.first, WebhookAddress(String(front)) != nil else { return false }
        return parts.dropFirst().allSatisfy { fragment in
            fragment.utf8.allSatisfy { (33...126).contains($0) && $0 != 34 && $0 != 35 && $0 != 92 }
        }
    }

    /// RFC 3986 section 2.3: everything but unreserved characters is escaped.
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            if Characters.isAlphanumeric(byte) || [45, 46, 95, 126].contains(byte) {
                return [byte]
            }
            return [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
