/// How each field of GA4's `user_data` is normalised (conversions.md 2.5): not as Meta's are.
public enum GoogleField: String, CaseIterable, Sendable {
    case email = "sha256_email_address"
    case phone = "sha256_phone_number"
    case firstName = "sha256_first_name"
    case lastName = "sha256_last_name"
    case street = "sha256_street"
    case city, region
    case postalCode = "postal_code"
    case country

    /// Its name at Google.
    public var key: String { rawValue }

    /// Whether the digest is sent instead of the text.
    public var isHashed: Bool { rawValue.hasPrefix("sha256_") }

    /// Whether it is a part of `address`.
    public var isAddress: Bool { self != .email && self != .phone }

    /// The text that is hashed or sent; nil when there is nothing to say.
    public func normalized(_ text: String, callingCode: String?) -> String? {
        let value = value(text, callingCode)
        return value?.isEmpty == true ? nil : value
    }

    /// What is sent; nil when there is nothing to say.
    public func sent(_ text: String, callingCode: String?) -> String? {
        let value = normalized(text, callingCode: callingCode)
        return isHashed ? value.map { Digest.sha256($0) } : value
    }

    private func value(_ text: String, _ callingCode: String?) -> String? {
        switch self {
        case .email: return Self.email(text)
        case .phone: return PhoneNumber.digits(text, callingCode: callingCode).map { "+" + $0 }
        case .firstName, .lastName, .city, .region: return Self.words(text, digits: false)
        case .street: return Self.words(text, digits: true)
        case .postalCode:
            let kept = TextForms.filtered(TextForms.composed(text)) { $0 != "." && $0 != "~" }
            return TextForms.trimmed(kept)
        case .country: return CountryTable.code(text)?.uppercased()
        }
    }

    /// Without any space; of Google's own mail the dots before `@` say nothing.
    private static func email(_ text: String) -> String? {
        let dense = TextForms.filtered(text) { !$0.properties.isWhitespace }
        guard let email = MetaField.email(dense) else { return nil }
        let parts = email.split(separator: "@")
        guard parts.count == 2, ["gmail.com", "googlemail.com"].contains(parts[1]) else {
            return email
        }
        let local = parts[0].filter { $0 != "." }
        return local.isEmpty ? nil : "\(local)@\(parts[1])"
    }

    private static func words(_ text: String, digits: Bool) -> String {
        let kept = TextForms.filtered(TextForms.folded(text)) { scalar in
            TextForms.isLetter(scalar) || scalar.properties.isWhitespace
                || digits && scalar.properties.generalCategory == .decimalNumber
        }
        return TextForms.trimmed(kept)
    }
}
