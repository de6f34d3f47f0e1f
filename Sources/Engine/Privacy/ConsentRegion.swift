import Bytes
public import Records

/// Whose rules hold for a visitor.
public enum ConsentRegion: Sendable {
    /// The European Economic Area, the United Kingdom and Switzerland: nothing without a yes.
    case strict
    case other
    case unknown

    /// By the country of the address when the operator has a database, else by the time zone.
    public init(_ signals: ConsentSignals) {
        if signals.country.count == 2 {
            self = Self.isStrict(country: signals.country) ? .strict : .other
        } else if !signals.timeZone.isEmpty {
            self = Self.isStrict(zone: signals.timeZone) ? .strict : .other
        } else {
            self = .unknown
        }
    }

    /// Members of the Union with their outlying regions that have codes of their own, of the EEA, the
    /// United Kingdom with its islands, Switzerland; and the small states that follow the same rules.
    private static let countries: StaticString = """
        AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE AX GF GP MF \
        MQ RE YT IS LI NO GB UK GG IM JE GI CH AD MC SM VA
        """

    private static func isStrict(country: ByteView) -> Bool { lists(countries, country) }

    /// Zones of `Europe/` outside; a new one counts as inside until it stands here.
    private static let outside: StaticString = """
        Astrakhan Belgrade Chisinau Istanbul Kaliningrad Kiev Kirov Kyiv Minsk Moscow Podgorica Samara \
        Sarajevo Saratov Simferopol Skopje Tirane Tiraspol Ulyanovsk Uzhgorod Volgograd Zaporozhye
        """

    /// Zones inside that are not of `Europe/`, by the name behind the last slash.
    private static let inside: StaticString = """
        Reykjavik Canary Madeira Azores Faroe Faeroe Longyearbyen Nicosia Famagusta Ceuta Martinique \
        Guadeloupe Cayenne Marigot Reunion Mayotte CET MET EET WET GB Eire Portugal Poland Iceland \
        GB-Eire
        """

    /// A slash may come as JSON escapes it.
    private static func isStrict(zone: ByteView) -> Bool {
        var start = 0
        while let slash = zone.firstIndex(of: UInt8(ascii: "/"), from: start) { start = slash + 1 }
        let name = zone[start..<zone.count]
        let isEuropean = zone.starts(with: "Europe/") || zone.starts(with: "Europe\\/")
        return isEuropean ? !lists(outside, name) : lists(inside, name)
    }

    /// Whether `word` is one of those that `list` names between blanks.
    private static func lists(_ list: StaticString, _ word: ByteView) -> Bool {
        guard !word.isEmpty else { return false }
        var pieces = ConsentPieces(ByteView(list), separator: UInt8(ascii: " "))
        while let piece = pieces.next() {
            if piece.equals(word) { return true }
        }
        return false
    }
}
