import Records
import Settings

/// What all events of a request to GA4 share: whose they are and what was agreed to (conversions.md 2.2,
/// 2.5).
struct GoogleEnvelope: Equatable {
    private let clientID: String
    private let userID: String?
    private let grantsUserData: Bool
    private let grantsPersonalisation: Bool
    private let fields: [String: [String]]

    private static let userIDBytesMaximum = 256
    /// How many of each Google takes.
    private static let valuesMaximum = 3

    init(
        _ conversion: Conversion,
        _ terms: DestinationGate.Terms,
        _ google: GoogleAnalyticsSettings
    ) {
        clientID =
            conversion.contact.gaClientID.flatMap { GoogleID.client($0) }
            ?? Self.ownClientID(conversion)
        let user = conversion.user
        let isUser =
            terms.grantsAdUserData && !user.isEmpty
            && user.utf8.count <= Self.userIDBytesMaximum
        userID = isUser ? user : nil
        grantsUserData = terms.grantsAdUserData
        grantsPersonalisation = terms.grantsAdPersonalisation
        let sendsFields = isUser && terms.mayHoldContact && google.sendsUserData
        fields = sendsFields ? conversion.contact.googleFields : [:]
    }

    /// For visitors whom Google's own tag gave no id: two numbers that stay the same for a visitor.
    private static func ownClientID(_ conversion: Conversion) -> String {
        let digest = Digest.sha256("ga4-client\u{0}\(conversion.site)\u{0}\(conversion.visitor)")
        let digits = digest.utf8.prefix(16).map { UInt64($0 < 58 ? $0 - 48 : $0 - 87) }
        let number = digits.reduce(0) { $0 << 4 | $1 }
        return "\(number >> 33 | 1).\(1_500_000_000 + number % 100_000_000)"
    }

    /// The same for conversions that may share a request.
    var group: String {
        var json = JSONWriter()
        write(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private func write(_ json: inout JSONWriter) {
        json.object { json in writeMembers(&json) }
    }

    /// All but the events.
    func writeMembers(_ json: inout JSONWriter) {
        json.text("client_id", clientID)
        json.text("user_id", userID)
        json.object("consent") { json in
            json.text("ad_user_data", grantsUserData ? "GRANTED" : "DENIED")
            json.text("ad_personalization", grantsPersonalisation ? "GRANTED" : "DENIED")
        }
        if !fields.isEmpty { json.object("user_data") { json in writeFields(&json) } }
    }

    private func values(_ field: GoogleField) -> [String] {
        Array((fields[field.key] ?? []).prefix(Self.valuesMaximum))
    }

    private func writeFields(_ json: inout JSONWriter) {
        json.texts(GoogleField.email.key, values(.email))
        json.texts(GoogleField.phone.key, values(.phone))
        let parts = GoogleField.allCases.filter { $0.isAddress && !values($0).isEmpty }
        if parts.isEmpty { return }
        json.list("address") { json in
            json.object { json in
                for part in parts { json.text(part.key, values(part).first) }
            }
        }
    }
}
