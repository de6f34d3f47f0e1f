public import Bytes

/// Leaves out of a sender's free-form objects what may name a person: values under telling names, and
/// values that hold an `@`.
///
/// A small net with wide meshes, made to stand until the full detector takes its place: it knows
/// names, not contents. Owned by one thread; the memory is reused.
public struct TraitFilter: ~Copyable {
    /// Whose values an object holds.
    public enum Subject {
        /// A person's or group's traits: `name` is a person's.
        case person
        /// An event's properties: `name` is a product's or a button's.
        case event
    }

    private var name = ByteBuffer(capacity: 128, limit: 128)
    private var text = ByteBuffer(capacity: 1024, limit: 64 * 1024)

    /// Values left out since `reset`.
    public private(set) var withheld = 0

    /// A filter that has left out nothing yet.
    public init() {}

    /// Begins to count anew.
    public mutating func reset() { withheld = 0 }

    /// Appends the members of a checked object, without braces; `separator` goes before the first.
    /// Members that `leavesOut` names are passed over and not counted. True when there was any.
    @discardableResult
    public mutating func appendMembers(
        of object: ByteView,
        _ subject: Subject,
        after separator: StaticString = "",
        into output: inout ByteBuffer,
        leavesOut: (ByteView) -> Bool = { _ in false }
    ) -> Bool {
        var cursor = JSONCursor(object)
        var (isFirst, isEmpty) = (true, true)
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&isFirst) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                if leavesOut(key) { continue }
                guard isHarmless(key, kind, value, subject) else {
                    withheld += 1
                    continue
                }
                output.append(isEmpty ? separator : ",")
                isEmpty = false
                appendKey(key, into: &output)
                append(value, kind, subject, into: &output)
            }
        } catch {
            // The object was checked before; what cannot be read is not passed on.
            return !isEmpty
        }
        return !isEmpty
    }

    private func appendKey(_ key: ByteView, into output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        JSONText.appendStorable(value: key, into: &output)
        output.append("\":")
    }

    private mutating func append(
        _ value: ByteView,
        _ kind: JSONCursor.Kind,
        _ subject: Subject,
        into output: inout ByteBuffer
    ) {
        switch kind {
        case .object:
            output.append(UInt8(ascii: "{"))
            appendMembers(of: value, subject, into: &output)
            output.append(UInt8(ascii: "}"))
        case .array: appendElements(of: value, subject, into: &output)
        case .string, .number, .boolean, .null:
            JSONText.appendStorable(value: value, into: &output)
        }
    }

    /// What is left out of a list leaves `null`, so that the others keep their places.
    private mutating func appendElements(
        of array: ByteView,
        _ subject: Subject,
        into output: inout ByteBuffer
    ) {
        var cursor = JSONCursor(array)
        var isFirst = true
        var separator: StaticString = "["
        do throws(JSONError) {
            try cursor.beginArray()
            while try cursor.nextElement(&isFirst) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                output.append(separator)
                separator = ","
                if kind == .string, holdsAt(value) {
                    withheld += 1
                    output.append("null")
                } else {
                    append(value, kind, subject, into: &output)
                }
            }
        } catch {
            // As above.
        }
        output.append(separator.utf8CodeUnitCount == 1 && isFirst ? "[]" : "]")
    }

    // MARK: - What is harmless

    private mutating func isHarmless(
        _ key: ByteView,
        _ kind: JSONCursor.Kind,
        _ value: ByteView,
        _ subject: Subject
    ) -> Bool {
        if kind == .string, holdsAt(value) { return false }
        normalise(key)
        // A name may be somebody's address itself.
        if text.overflowed || text.view.firstIndex(of: UInt8(ascii: "@")) != nil { return false }
        // What says nothing harms nobody, and tells the operator that the trait is known.
        if kind == .null || kind == .boolean { return true }
        for telling in Self.everywhere where name.view.equals(telling) { return false }
        guard subject == .person else { return true }
        for telling in Self.ofPersons where name.view.equals(telling) { return false }
        return true
    }

    private mutating func holdsAt(_ value: ByteView) -> Bool {
        if value.firstIndex(of: UInt8(ascii: "@")) != nil { return true }
        guard value.firstIndex(of: UInt8(ascii: "\\")) != nil else { return false }
        text.reset()
        JSONText.unescape(value[1..<value.count - 1], into: &text)
        // What is too long to be looked at is not let through.
        return text.overflowed || text.view.firstIndex(of: UInt8(ascii: "@")) != nil
    }

    /// `first_name`, `First-Name` and `$firstName` are one name.
    private mutating func normalise(_ key: ByteView) {
        text.reset()
        JSONText.unescape(key, into: &text)
        name.reset()
        for index in 0..<text.count {
            let byte = asciiLowercase(text.view[index])
            if byte &- 97 < 26 || byte &- 48 < 10 || byte >= 0x80 { name.append(byte) }
        }
    }

    private static let everywhere: [StaticString] = [
        "email", "emailaddress", "mail", "useremail", "customeremail", "contactemail",
        "phone", "phonenumber", "mobile", "mobilephone", "mobilenumber", "telephone", "tel", "fax",
        "firstname", "lastname", "middlename", "fullname", "surname", "familyname", "givenname",
        "maidenname", "displayname", "customername",
        "birthday", "birthdate", "dateofbirth", "dob",
        "address", "address1", "address2", "street", "streetaddress", "addressline1",
        "addressline2", "shippingaddress", "billingaddress", "postaladdress",
        "ssn", "socialsecuritynumber", "taxid", "nationalid", "passport", "passportnumber",
        "driverslicense", "iban", "bic", "accountnumber", "creditcard", "creditcardnumber",
        "cardnumber", "cvv", "cvc", "password", "passwd", "secret", "ip", "ipaddress",
    ]

    private static let ofPersons: [StaticString] = [
        "name", "username", "nickname", "avatar", "age", "gender", "zip", "zipcode", "postalcode",
        "postcode", "latitude", "longitude", "website", "contact", "login",
    ]
}
