/// A dry run of every normaliser over a file of inputs: what operators hold their own data against.
///
/// The file is a JSON object. `vectors` and `ga4_user_data` are lists of objects with `field`, `input`
/// and, to be compared, `normalized` with `output` or `sent`; `param_builder_fbc_fbp` is a list of page
/// addresses and cookies; `payload_examples.appsecret_proof` has a secret and a token.
public struct FieldVectors {
    /// One line of the result.
    public struct Row: Sendable, Equatable {
        /// The row's own id, if it has one.
        public let id: String?
        /// What was normalised.
        public let field: String
        /// What came in.
        public let input: JSONValue
        /// What is hashed, nil when it is left out or was hashed before.
        public let normalized: String?
        /// What is sent, nil when it is left out.
        public let output: String?
        /// Whether the file's own values are the same; nil when it has none.
        public let agrees: Bool?
        /// Whether nobody here knows such a field.
        public let isUnknown: Bool

        /// As JSON Lines have it.
        public var line: [UInt8] {
            var json = JSONWriter()
            json.object { json in
                json.text("id", id)
                json.text("field", field)
                json.tree("input", input)
                json.tree("normalized", normalized.map { .text($0) } ?? .null)
                json.tree("output", output.map { .text($0) } ?? .null)
                json.text("error", isUnknown ? "unknown field" : nil)
            }
            return json.bytes
        }
    }

    /// All rows in the order of the file.
    public let rows: [Row]

    /// How many rows agree with the file's own values.
    public var passed: Int { rows.count { $0.agrees == true } }
    /// How many rows have values to agree with.
    public var compared: Int { rows.count { $0.agrees != nil } }

    /// Reads a file and normalises every input in it; nil when it is not a JSON object.
    public init?(_ file: [UInt8], _ context: MetaField.Context) {
        guard let tree = JSONValue(file), case .object = tree else { return nil }
        let clock = tree["param_builder_clock_ms"]?.integer ?? context.nowMilliseconds
        var rows: [Row] = []
        for member in tree.members {
            switch member.key {
            case "vectors": rows += member.value.elements.map { Self.field($0, context) }
            case "ga4_user_data": rows += member.value.elements.map { Self.field($0, context) }
            case "param_builder_fbc_fbp":
                rows += member.value.elements.flatMap { Self.browser($0, clock) }
            case "payload_examples": rows += Self.proof(member.value)
            default: break
            }
        }
        self.rows = rows
    }

    // MARK: - Fields

    private static func field(_ row: JSONValue, _ context: MetaField.Context) -> Row {
        let name = row["field"]?.text ?? ""
        let text = row["input"]?.text ?? ""
        let result = Self.values(name, text, context)
        let wanted = row["output"] ?? row["sent"]
        let agrees = wanted.map { wanted in
            result?.output == wanted.text
                && (row["normalized"] == nil || result?.normalized == row["normalized"]?.text)
        }
        return Row(
            id: row["id"]?.text,
            field: name,
            input: row["input"] ?? .null,
            normalized: result?.normalized,
            output: result?.output,
            agrees: agrees,
            isUnknown: result == nil
        )
    }

    private typealias Values = (normalized: String?, output: String?)

    /// A value that was hashed before has no text to show. In this dry run every field counts as
    /// flagged for such values.
    private static func values(
        _ name: String,
        _ text: String,
        _ context: MetaField.Context
    ) -> Values? {
        if let field = MetaField(rawValue: name) {
            if let hash = Digest.hashed(text) { return (nil, hash) }
            return (field.normalized(text, context), field.hashed(text, context))
        }
        if let field = GoogleField(rawValue: Self.bare(name)) {
            if field.isHashed, let hash = Digest.hashed(text) { return (nil, hash) }
            let code = context.callingCode
            return (field.normalized(text, callingCode: code), field.sent(text, callingCode: code))
        }
        guard let plain = Self.plain(name) else { return nil }
        let value = plain(text)
        return (value, value)
    }

    private static func bare(_ name: String) -> String {
        name.hasPrefix("address.") ? String(name.dropFirst("address.".count)) : name
    }

    /// Fields that are sent as they are, once they are known to be right.
    private static func plain(_ name: String) -> ((String) -> String?)? {
        switch name {
        case "client_ip_address": return ClientAddress.normalized
        case "client_user_agent": return ClientAddress.userAgent
        case "currency": return Currency.code
        case "fbc": return { FacebookID(click: TextForms.trimmed($0))?.text }
        case "fbp": return { FacebookID(browser: TextForms.trimmed($0))?.text }
        case "fbclid": return { FacebookID.isClickID($0) ? $0 : nil }
        case "client_id", "_ga": return { GoogleID.client(TextForms.trimmed($0)) }
        case "session_id": return { GoogleID.session(TextForms.trimmed($0)).map { "\($0)" } }
        default:
            guard name.hasPrefix("_ga_") else { return nil }
            return { GoogleID.session(TextForms.trimmed($0)).map { "\($0)" } }
        }
    }

    // MARK: - Browser ids

    private static func browser(_ row: JSONValue, _ clock: Int64) -> [Row] {
        let index = Self.subdomainIndex(row["host"]?.text ?? "")
        let click =
            row["query"]?["fbclid"]?.elements.first?.text
            ?? row["referer"]?.text.flatMap { FacebookID.clickID(inURL: $0) }
        let fbc = FacebookID.click(
            cookie: row["cookies"]?["_fbc"]?.text,
            clickID: click,
            seenAtMilliseconds: clock,
            subdomainIndex: index
        )
        let known = row["cookies"]?["_fbp"]?.text.flatMap { FacebookID(browser: $0) }
        let fbp =
            known
            ?? FacebookID(
                payload: String(UInt32.random(in: 0...0x7fff_ffff)),
                atMilliseconds: clock,
                subdomainIndex: index
            )
        return [
            browser(row, "fbc", fbc, isMinted: false),
            browser(row, "fbp", fbp, isMinted: known == nil),
        ]
    }

    /// Meta's builder appends its version, which nobody else may; the random part of an id that was
    /// made just now is nobody's to agree with.
    private static func browser(
        _ row: JSONValue,
        _ field: String,
        _ found: FacebookID?,
        isMinted: Bool
    ) -> Row {
        let wanted = row[field].map { wanted in
            wanted.text.flatMap {
                field == "fbc" ? FacebookID(click: $0) : FacebookID(browser: $0)
            }
        }
        let compared = isMinted ? stem : core
        return Row(
            id: nil,
            field: field,
            input: .object(row.members.filter { inputKeys.contains($0.key) }),
            normalized: found?.text,
            output: found?.text,
            agrees: wanted.map { $0.map(compared) == found.map(compared) },
            isUnknown: false
        )
    }

    private static let inputKeys = ["host", "query", "cookies", "referer"]

    private static func core(_ id: FacebookID) -> String { "\(stem(id)).\(id.payload)" }

    private static func stem(_ id: FacebookID) -> String {
        "\(id.subdomainIndex).\(id.createdAtMilliseconds)"
    }

    /// 0 where a cookie belongs to an address or a single label, else 1: without a list of public
    /// suffixes nobody knows how many labels the cookie's domain will have.
    static func subdomainIndex(_ host: String) -> Int {
        let name = host.split(separator: ":").first ?? ""
        let isAddress = ClientAddress.isAddress(String(name)) || host.hasPrefix("[")
        return isAddress || !name.contains(".") ? 0 : 1
    }

    private static func proof(_ examples: JSONValue) -> [Row] {
        guard let example = examples["appsecret_proof"], let secret = example["secret"]?.text,
            let token = example["token"]?.text
        else { return [] }
        let proof = Digest.hmac(key: secret, message: Array(token.utf8))
        return [
            Row(
                id: nil,
                field: "appsecret_proof",
                input: .text(token),
                normalized: token,
                output: proof,
                agrees: example["proof"].map { $0.text == proof },
                isUnknown: false
            )
        ]
    }
}
