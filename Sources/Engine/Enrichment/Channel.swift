import Bytes

/// How a visitor came to a page: the first rule that fits, in this order.
public enum Channel: UInt8, Sendable, CaseIterable {
    case paidSearch, paidSocial, paidOther, display, affiliate, email, messaging
    case organicSearch, organicSocial, aiAssistant, referral, direct, unassigned
    /// From another page of the same site.
    case `internal`

    /// The name that stores and reports know it by.
    public var name: StaticString {
        switch self {
        case .paidSearch: "paid_search"
        case .paidSocial: "paid_social"
        case .paidOther: "paid_other"
        case .display: "display"
        case .affiliate: "affiliate"
        case .email: "email"
        case .messaging: "messaging"
        case .organicSearch: "organic_search"
        case .organicSocial: "organic_social"
        case .aiAssistant: "ai_assistant"
        case .referral: "referral"
        case .direct: "direct"
        case .unassigned: "unassigned"
        case .internal: "internal"
        }
    }

    /// The medium where none is named.
    var impliedMedium: StaticString? {
        switch self {
        case .paidSearch, .paidSocial, .paidOther: "cpc"
        case .organicSearch: "organic"
        case .organicSocial: "social"
        case .email: "email"
        case .messaging: "messaging"
        case .aiAssistant, .referral: "referral"
        default: nil
        }
    }

    /// The channel by what the campaign says and where the visitor came from. A click id alone
    /// makes traffic paid only when nothing but advertisements carry it.
    static func channel(medium: ByteView, origin: Origin, clickID: ClickID?) -> Channel {
        let isPaid =
            isPaid(medium) || (medium.isEmpty && clickID?.provesAdvertisement == true)
        if isPaid {
            if origin.kind == .search { return .paidSearch }
            return origin.kind == .social ? .paidSocial : .paidOther
        }
        if let channel = byMedium(medium) { return channel }
        switch origin.kind {
        case .email: return .email
        case .messaging: return .messaging
        case .search: return .organicSearch
        case .social: return .organicSocial
        case .assistant: return .aiAssistant
        case .other: break
        }
        if origin.isReferred { return .referral }
        return origin.name.isEmpty && medium.isEmpty ? .direct : .unassigned
    }

    private static func isPaid(_ medium: ByteView) -> Bool {
        if medium.starts(with: "paid") { return true }
        return isOne(
            medium,
            ["cpc", "ppc", "cpa", "cpv", "cpp", "cpe", "retargeting", "sem", "ads"]
        )
    }

    private static func byMedium(_ medium: ByteView) -> Channel? {
        if medium.isEmpty { return nil }
        for (channel, words) in mediumWords where isOne(medium, words) { return channel }
        return nil
    }

    private static let mediumWords: [(Channel, [StaticString])] = [
        (.display, ["display", "banner", "cpm", "expandable", "interstitial", "programmatic"]),
        (.affiliate, ["affiliate", "affiliates", "partner"]),
        (.email, ["email", "e-mail", "e_mail", "e mail", "mail", "newsletter"]),
        (
            .messaging,
            [
                "sms", "push", "mobile", "notification", "web-push", "messaging", "whatsapp",
                "messenger", "chat",
            ]
        ),
        (.organicSearch, ["organic", "organic_search", "organic-search"]),
        (
            .organicSocial,
            [
                "social", "social-network", "social_network", "social network", "social-media",
                "social_media", "social media", "sm", "organic_social", "organic-social",
            ]
        ),
        (.aiAssistant, ["ai", "ai_assistant", "ai-assistant", "llm", "chatbot"]),
        (.referral, ["referral", "link", "app"]),
    ]

    private static func isOne(_ text: ByteView, _ words: [StaticString]) -> Bool {
        for word in words where text.equals(word) { return true }
        return false
    }
}
