/// How each field of Meta's `user_data` is normalised before it is hashed (conversions.md 1.4).
///
/// The words are those of `key`. Everything that has nothing left is left out: the digest of an empty
/// text would look like a person.
public enum MetaField: String, CaseIterable, Sendable {
    case em, ph, fn, ln, ge, db, ct, st, zp, country
    case externalID = "external_id"
    // Of Meta's own library only; never sent by us, but operators may hold old data against it.
    case f5first, f5last, fi, dobd, dobm, doby

    /// Its name at Meta.
    public var key: String { rawValue }

    /// What a site or an operator says beside the value.
    public struct Context: Sendable {
        /// Calling code of telephone numbers without one.
        public var callingCode: String?
        /// The last day that anybody can have been born, epoch milliseconds.
        public var nowMilliseconds: Int64

        /// A context at `nowMilliseconds`.
        public init(callingCode: String? = nil, nowMilliseconds: Int64) {
            self.callingCode = callingCode
            self.nowMilliseconds = nowMilliseconds
        }
    }

    /// The text that is hashed; nil when there is nothing to say.
    public func normalized(_ text: String, _ context: Context) -> String? {
        let value = value(text, context)
        return value?.isEmpty == true ? nil : value
    }

    /// The digest of the normalised text; nil when there is nothing to say.
    public func hashed(_ text: String, _ context: Context) -> String? {
        normalized(text, context).map { Digest.sha256($0) }
    }

    private func value(_ text: String, _ context: Context) -> String? {
        switch self {
        case .em: return Self.email(text)
        case .ph: return PhoneNumber.digits(text, callingCode: context.callingCode)
        case .fn, .ln, .ct: return TextForms.letters(TextForms.folded(text))
        case .ge: return Self.gender(text)
        case .db: return Self.birthday(text, context)
        case .st: return Self.state(text)
        case .zp: return Self.postcode(text)
        case .country: return CountryTable.code(text)
        case .externalID:
            let folded = TextForms.folded(text)
            return TextForms.filtered(folded) { !$0.properties.isWhitespace }
        case .f5first, .f5last: return Self.front(text, 5)
        case .fi: return Self.front(text, 1)
        case .dobd: return Self.partOfDate(text, 1...31)
        case .dobm: return Self.partOfDate(text, 1...12)
        case .doby: return Self.year(text)
        }
    }

    /// Dots and `+tag` stay: Google's rules differ.
    static func email(_ text: String) -> String? {
        let folded = TextForms.folded(text)
        let parts = folded.unicodeScalars.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty,
            !folded.unicodeScalars.contains(where: { $0.properties.isWhitespace }),
            let dot = parts[1].dropFirst().firstIndex(of: "."),
            parts[1].index(after: dot) < parts[1].endIndex
        else { return nil }
        return folded
    }

    private static func gender(_ text: String) -> String? {
        switch TextForms.folded(text) {
        case "f", "female": return "f"
        case "m", "male": return "m"
        default: return nil
        }
    }

    private static func birthday(_ text: String, _ context: Context) -> String? {
        guard let date = CalendarDate(birthday: text), date.year >= 1_900,
            date <= CalendarDate(milliseconds: context.nowMilliseconds)
        else { return nil }
        return date.digits
    }

    private static func state(_ text: String) -> String {
        let folded = TextForms.folded(text)
        // ISO 3166-2 spells states with their country.
        for prefix in ["us-", "ca-"] where folded.hasPrefix(prefix) && folded.utf8.count == 5 {
            return TextForms.letters(String(folded.dropFirst(3)))
        }
        let letters = TextForms.letters(folded)
        return StateTable.code(TextForms.withoutMarks(letters)) ?? letters
    }

    private static func postcode(_ text: String) -> String {
        let folded = TextForms.asciiDigits(TextForms.folded(text))
        let kept = TextForms.filtered(folded) {
            TextForms.isLetter($0) || ("0"..."9").contains($0)
        }
        // Nine digits are ZIP+4 of the United States.
        return kept.utf8.count == 9 && TextForms.isDigits(kept) ? String(kept.prefix(5)) : kept
    }

    private static func front(_ text: String, _ count: Int) -> String {
        String(String.UnicodeScalarView(TextForms.folded(text).unicodeScalars.prefix(count)))
    }

    private static func partOfDate(_ text: String, _ range: ClosedRange<Int>) -> String? {
        let digits = TextForms.asciiDigits(TextForms.trimmed(text))
        guard TextForms.isDigits(digits), digits.utf8.count <= 2, let number = Int(digits),
            range.contains(number)
        else { return nil }
        return number < 10 ? "0\(number)" : "\(number)"
    }

    private static func year(_ text: String) -> String? {
        let digits = TextForms.asciiDigits(TextForms.trimmed(text))
        return TextForms.isDigits(digits) && digits.utf8.count == 4 ? digits : nil
    }
}
