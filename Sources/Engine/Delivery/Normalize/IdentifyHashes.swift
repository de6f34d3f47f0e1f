public import Bytes
import Settings

/// What of an identify's traits platforms may know: hashes, made once, before anything is stored.
///
/// Traits come from pages and servers under many names. A name with `_sha256` behind it holds what was
/// hashed before; any other value of 64 hexadecimal digits is text like any other.
public struct IdentifyHashes: Sendable, Equatable {
    /// Hashes by Meta's key.
    public private(set) var meta: [String: [String]] = [:]
    /// Hashes and plain parts of the address by GA4's name.
    public private(set) var google: [String: [String]] = [:]

    /// Reads a JSON object of traits, and the user id as it stands between its quotes, each of which may be
    /// empty. Whatever is no trait, or no JSON, is passed over.
    public init(traits: ByteView, user: ByteView = .empty, _ context: MetaField.Context) {
        if !traits.isEmpty { collect(traits, context, depth: 0) }
        if meta[MetaField.externalID.key] == nil { take(user: user, context) }
    }

    /// Addresses of mail are no ids: platforms forbid them as such.
    private mutating func take(user: ByteView, _ context: MetaField.Context) {
        if user.isEmpty || user.firstIndex(of: UInt8(ascii: "@")) != nil { return }
        var buffer = ByteBuffer(capacity: 256, limit: Limits.traitBytesMaximum)
        JSONText.unescape(user, into: &buffer)
        if buffer.overflowed { return }
        add(MetaField.externalID, MetaField.externalID.hashed(buffer.view.text, context))
    }

    /// The text of the identify seal (README.md): `{"m":{…},"g":{…}}`; nil when nothing is known.
    public static func seal(
        traits: ByteView,
        user: ByteView = .empty,
        _ context: MetaField.Context
    ) -> [UInt8]? {
        let hashes = IdentifyHashes(traits: traits, user: user, context)
        if hashes.meta.isEmpty && hashes.google.isEmpty { return nil }
        var json = JSONWriter()
        json.object { json in
            json.lists("m", hashes.meta)
            json.lists("g", hashes.google)
        }
        return json.bytes
    }

    private mutating func collect(_ traits: ByteView, _ context: MetaField.Context, depth: Int) {
        var cursor = JSONCursor(traits)
        var first = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                take(key.text, kind, value, context, depth)
            }
        } catch {
            // What came before the mistake stands; the decoder has refused the event if it was not JSON.
        }
    }

    private mutating func take(
        _ key: String,
        _ kind: JSONCursor.Kind,
        _ value: ByteView,
        _ context: MetaField.Context,
        _ depth: Int
    ) {
        switch kind {
        case .object where Self.plain(key) == "address" && depth == 0:
            collect(value, context, depth: 1)
        case .string:
            var buffer = ByteBuffer(capacity: 256, limit: Limits.traitBytesMaximum)
            JSONText.unescape(value[1..<value.count - 1], into: &buffer)
            if !buffer.overflowed { take(key, buffer.view.text, context) }
        case .number:
            take(key, value.text, context)
        default: break
        }
    }

    private mutating func take(_ key: String, _ text: String, _ context: MetaField.Context) {
        let name = Self.plain(key)
        let suffix = "sha256"
        if name.hasSuffix(suffix) {
            guard let hash = Digest.hashed(text) else { return }
            takeHash(String(name.dropLast(suffix.count)), hash)
        } else if name == "name" || name == "fullname" {
            takeName(text, context)
        } else {
            for field in Self.metaFields(name) { add(field, field.hashed(text, context)) }
            for field in Self.googleFields(name) {
                add(field, field.sent(text, callingCode: context.callingCode))
            }
        }
    }

    /// Hashed by the page for us: which platform's rules were followed is not known beyond Meta's, so
    /// only what both do alike goes to Google.
    private mutating func takeHash(_ name: String, _ hash: String) {
        for field in Self.metaFields(name) { add(field, hash) }
        if name.hasPrefix("email") || name == "em" { add(GoogleField.email, hash) }
    }

    /// The last word is the family's name; a single word may be either and is left out.
    private mutating func takeName(_ text: String, _ context: MetaField.Context) {
        let words = text.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }
        guard words.count >= 2, let last = words.last else { return }
        let front = words.dropLast().joined(separator: " ")
        for (name, value) in [("firstname", front), ("lastname", last)] {
            if meta[name == "firstname" ? "fn" : "ln"] == nil { take(name, value, context) }
        }
    }

    private mutating func add(_ field: MetaField, _ hash: String?) {
        guard let hash, meta[field.key]?.contains(hash) != true else { return }
        guard meta[field.key, default: []].count < Limits.traitValuesMaximum else { return }
        meta[field.key, default: []].append(hash)
    }

    private mutating func add(_ field: GoogleField, _ value: String?) {
        guard let value, google[field.key]?.contains(value) != true else { return }
        guard google[field.key, default: []].count < Limits.traitValuesMaximum else { return }
        google[field.key, default: []].append(value)
    }

    /// A trait's name without the ways of writing it: `firstName`, `first_name`, `First-Name`.
    private static func plain(_ key: String) -> String {
        String(key.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " })
    }

    private static func metaFields(_ name: String) -> [MetaField] {
        switch name {
        case "email", "emailaddress", "mail", "em": return [.em]
        case "phone", "phonenumber", "mobile", "telephone", "tel", "ph": return [.ph]
        case "firstname", "givenname", "fn": return [.fn]
        case "lastname", "familyname", "surname", "ln": return [.ln]
        case "gender", "sex", "ge": return [.ge]
        case "birthday", "dateofbirth", "birthdate", "dob", "db": return [.db]
        case "city", "town", "ct": return [.ct]
        case "state", "region", "province", "st": return [.st]
        case "zip", "zipcode", "postalcode", "postcode", "zp": return [.zp]
        case "country", "countrycode": return [.country]
        case "userid", "externalid", "customerid": return [.externalID]
        default: return []
        }
    }

    private static func googleFields(_ name: String) -> [GoogleField] {
        switch metaFields(name).first {
        case .em: return [.email]
        case .ph: return [.phone]
        case .fn: return [.firstName]
        case .ln: return [.lastName]
        case .ct: return [.city]
        case .st: return [.region]
        case .zp: return [.postalCode]
        case .country: return [.country]
        default: return name == "street" || name == "streetaddress" ? [.street] : []
        }
    }
}
