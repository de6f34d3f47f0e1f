import Bytes
import Records

/// A member of a JSON object that was checked before: key without quotes, value as it was written.
struct WireMember {
    let key: ByteView
    let kind: JSONCursor.Kind
    let value: ByteView

    /// The inside of a string, or the digits of a number, which some trackers send for ids. `null`
    /// is as good as absent.
    func text() throws(WireFault) -> ByteView {
        switch kind {
        case .string: return value[1..<value.count - 1]
        case .number: return value
        case .null: return .empty
        case .object, .array, .boolean: throw .wrongType
        }
    }

    /// An object, or nothing.
    func object() throws(WireFault) -> ByteView {
        switch kind {
        case .object: return value
        case .null: return .empty
        case .array, .string, .number, .boolean: throw .wrongType
        }
    }

    /// A text where it is one, else nothing: of members that only adorn.
    var textOrNothing: ByteView { (try? text()) ?? .empty }

    /// An object where it is one, else nothing.
    var objectOrNothing: ByteView { (try? object()) ?? .empty }
}

/// Steps through the members of an object.
struct WireMembers {
    private var cursor: JSONCursor
    private var isFirst = true

    /// Throws when `object` does not begin an object.
    init(_ object: ByteView) throws(JSONError) {
        cursor = JSONCursor(object)
        try cursor.beginObject()
    }

    /// The next member; nil at the object's end, behind which nothing may stand.
    mutating func next() throws(JSONError) -> WireMember? {
        guard let key = try cursor.nextKey(&isFirst) else {
            try cursor.end()
            return nil
        }
        let kind = try cursor.kind()
        return WireMember(key: key, kind: kind, value: try cursor.skip())
    }

    /// Calls `body` with each member of an object that is well formed; of another, with those before
    /// the place that is not.
    static func forEach(in object: ByteView, _ body: (WireMember) -> Void) {
        guard var members = try? WireMembers(object) else { return }
        while let member = (try? members.next()) ?? nil { body(member) }
    }
}

extension WireContext {
    /// Takes what is known from a context object; what it says goes before what was known.
    mutating func take(_ object: ByteView) {
        guard !object.isEmpty else { return }
        WireMembers.forEach(in: object) { take($0) }
    }

    private mutating func take(_ member: WireMember) {
        let key = member.key
        if key.equals("ip") {
            address = member.textOrNothing
        } else if key.equals("userAgent") {
            userAgent = member.textOrNothing
        } else if key.equals("locale") {
            locale = member.textOrNothing
        } else if key.equals("library") {
            takeLibrary(member.objectOrNothing)
        } else if key.equals("page") {
            takePage(member.objectOrNothing)
        } else if key.equals("traits") {
            traits = member.objectOrNothing
        } else if key.equals("consent") {
            consent = WireConsent(member)
            consentSignals.take(consent: member.objectOrNothing)
        } else if key.equals("timezone") {
            consentSignals.timeZone = member.textOrNothing
        }
    }

    private mutating func takeLibrary(_ object: ByteView) {
        WireMembers.forEach(in: object) { member in
            if member.key.equals("name") { library = member.textOrNothing }
            if member.key.equals("version") { libraryVersion = member.textOrNothing }
        }
    }

    private mutating func takePage(_ object: ByteView) {
        WireMembers.forEach(in: object) { member in
            if member.key.equals("url") { url = member.textOrNothing }
            if member.key.equals("referrer") { referrer = member.textOrNothing }
            if member.key.equals("title") { title = member.textOrNothing }
        }
    }
}

extension WireConsent {
    /// A number is bits; an object is Segment's, with `categoryPreferences`. What is neither says
    /// nothing.
    init?(_ member: WireMember) {
        if member.kind == .number {
            guard let bits = JSONNumber.integer(member.value), bits >= 0 else { return nil }
            self = .bits(bits)
            return
        }
        var purposes: WirePurposes?
        var bits: Int64?
        WireMembers.forEach(in: member.objectOrNothing) { inner in
            if inner.key.equals("bits") { bits = JSONNumber.integer(inner.value) }
            guard inner.key.equals("categoryPreferences"), inner.kind == .object else { return }
            purposes = WirePurposes(granted: inner.value)
        }
        if let bits, bits >= 0 {
            self = .bits(bits)
            return
        }
        guard let purposes else { return nil }
        self = .purposes(purposes)
    }
}

extension ConsentSignals {
    /// The strings of a consent object, under the SDK's short names or those of their makers.
    mutating func take(consent object: ByteView) {
        guard !object.isEmpty else { return }
        WireMembers.forEach(in: object) { member in
            let text = member.textOrNothing
            if member.key.equals("tcf") {
                tcf = text
            } else if member.key.equals("gpp") {
                gpp = text
            } else if member.key.equals("us_privacy") {
                usPrivacy = text
            } else if member.key.equals("consent_mode") {
                consentMode = text
            } else if member.key.equals("explicit") || member.key.equals("ex") {
                isExplicit = member.value.equals("true") || member.value.equals("1")
            } else {
                _ = take(member.key, text: text)
            }
        }
    }
}

extension WirePurposes {
    /// What is `true` in an object of purposes; names that nobody knows grant nothing.
    fileprivate init(granted object: ByteView) {
        var granted: WirePurposes = []
        WireMembers.forEach(in: object) { member in
            guard member.value.equals("true") else { return }
            if member.key.equalsIgnoringCase("analytics") { granted.insert(.analytics) }
            if member.key.equalsIgnoringCase("functional") { granted.insert(.functional) }
            if member.key.equalsIgnoringCase("advertising")
                || member.key.equalsIgnoringCase("marketing")
            {
                granted.insert(.advertising)
            }
        }
        self = granted
    }
}
