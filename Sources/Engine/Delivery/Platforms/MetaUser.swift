import Records

/// `user_data` of an event of Meta's (conversions.md 1.4, 1.5).
struct MetaUser {
    private let hashes: [(key: String, values: [String])]
    private let address: String?
    /// The browser, never hashed.
    let userAgent: String?
    private let fbc: String?
    private let fbp: String?

    init(_ conversion: Conversion, _ terms: DestinationGate.Terms) {
        let contact = terms.mayHoldContact ? conversion.contact : Contact()
        hashes = Self.keys.compactMap { key in
            let values = Self.unique(contact.metaHashes[key] ?? [])
            return values.isEmpty ? nil : (key, values)
        }
        address = contact.address.flatMap { ClientAddress.normalized($0) }
            .filter(ClientAddress.isPublic)
        userAgent = contact.userAgent.flatMap { ClientAddress.userAgent($0) }
        let latest = conversion.occurredAtMilliseconds + Self.aheadMillisecondsMaximum
        let isPossible = { (id: FacebookID) in id.createdAtMilliseconds <= latest }
        fbp = contact.fbp.flatMap { FacebookID(browser: $0) }.filter(isPossible)?.text
        fbc = terms.mayHoldClickIDs ? Self.click(contact).filter(isPossible)?.text : nil
    }

    /// A cookie that was written a day behind the event it came with has no true time.
    private static let aheadMillisecondsMaximum: Int64 = 86_400_000

    /// The hashed keys, in the order they are written in.
    private static let keys = [
        "em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country", "external_id",
    ]

    /// Only what looks like a digest, and not the digest of nothing.
    private static func unique(_ values: [String]) -> [String] {
        var seen: Set<String> = [emptyDigest]
        return values.compactMap { Digest.hashed($0) }.filter { seen.insert($0).inserted }
    }

    private static let emptyDigest = Digest.sha256("")

    private static func click(_ contact: Contact) -> FacebookID? {
        FacebookID.click(
            cookie: contact.fbc,
            clickID: contact.fbclid?.id,
            seenAtMilliseconds: contact.fbclid?.firstSeenAtMilliseconds ?? 0
        )
    }

    /// Whether Meta can tell where the visitor is.
    var hasAddress: Bool { address != nil }

    /// Sets that say too little about a person, alone or in part (conversions.md 1.5).
    private static let tooLittle: [Set<String>] = [
        ["ct", "country", "st", "zp", "ge", "client_user_agent"],
        ["db", "client_user_agent"],
        ["fn", "ge"],
        ["ln", "ge"],
    ]

    /// Whether Meta takes an event with this.
    var isEnough: Bool {
        var keys = Set(hashes.map(\.key))
        if address != nil { keys.insert("client_ip_address") }
        if userAgent != nil { keys.insert("client_user_agent") }
        if fbc != nil { keys.insert("fbc") }
        if fbp != nil { keys.insert("fbp") }
        return !Self.tooLittle.contains { keys.isSubset(of: $0) }
    }

    func write(_ json: inout JSONWriter) {
        json.object("user_data") { json in
            for (key, values) in hashes { json.texts(key, values) }
            json.text("client_ip_address", address)
            json.text("client_user_agent", userAgent)
            json.text("fbc", fbc)
            json.text("fbp", fbp)
        }
    }
}

extension Optional {
    /// The value if the condition holds for it.
    fileprivate func filter(_ isKept: (Wrapped) -> Bool) -> Wrapped? {
        flatMap { isKept($0) ? $0 : nil }
    }
}
