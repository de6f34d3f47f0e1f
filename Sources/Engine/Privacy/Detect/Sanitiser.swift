public import Bytes

/// Whose values an object holds.
public enum PropertySubject: Sendable {
    /// A person's or group's traits: `name` is a person's, and telling members go as a whole.
    case person
    /// An event's properties: `name` is a product's or a button's.
    case event
}

/// Takes personal data out of properties and texts before they are stored, and tells what it found.
///
/// Where nothing is found the output is what `JSONText.appendStorable` makes of the input, byte for
/// byte. Sanitising twice changes nothing. Owned by one thread; memory is reused, and clean input
/// allocates nothing.
public struct Sanitiser: ~Copyable {
    /// Rounds until nothing is found any more; what still shows something then goes whole.
    static let roundsMaximum = 4
    /// Numbers under keys that say nothing are at least this long to be anybody's: cards and ids.
    private static let bareDigitsMinimum = 14
    /// Names of properties that were found clean, remembered by hash; a power of two.
    private static let namesRemembered = 1024

    var detector = Detector()
    var text = ByteBuffer(capacity: 1024, limit: 1024 * 1024)
    var key = ByteBuffer(capacity: 256, limit: 1024 * 1024)
    var once = ByteBuffer(capacity: 1024, limit: 1024 * 1024)
    var twice = ByteBuffer(capacity: 1024, limit: 1024 * 1024)
    var whole = ByteBuffer(capacity: 1024, limit: 1024 * 1024)
    /// Whether something was taken out of a URL, or put in its place, before its query.
    var isRewritten = false
    private var keyStack = ByteBuffer(capacity: 1024, limit: 1024 * 1024)
    private var cleanNames = Array(repeating: UInt64(0), count: Sanitiser.namesRemembered)
    var findings = Findings()
    var policy = SanitisePolicy()
    private var keysRedacted = 0
    private var subject = PropertySubject.event

    /// A sanitiser that has seen nothing yet.
    public init() {}

    // MARK: - Objects

    /// Appends a checked JSON object, sanitised.
    public mutating func append(
        object: ByteView,
        policy: SanitisePolicy,
        into output: inout ByteBuffer
    ) -> Findings {
        begin(policy)
        appendValue(object, .object, key: .empty, into: &output)
        return findings
    }

    /// Appends the members of a checked JSON object without its braces, `separator` before the first.
    /// Members that `leavesOut` names (by raw key) are passed over; of a person's, those whose names
    /// tell that they describe one, too.
    public mutating func appendMembers(
        of object: ByteView,
        _ subject: PropertySubject,
        policy: SanitisePolicy,
        after separator: StaticString = "",
        into output: inout ByteBuffer,
        leavesOut: (ByteView) -> Bool = { _ in false }
    ) -> Findings {
        begin(policy)
        self.subject = subject
        appendMembers(object, after: separator, into: &output, leavesOut)
        return findings
    }

    /// Appends a checked JSON value of any kind that stands under `key` (plain text), sanitised.
    public mutating func append(
        value: ByteView,
        kind: JSONCursor.Kind,
        key: ByteView,
        policy: SanitisePolicy,
        into output: inout ByteBuffer
    ) -> Findings {
        begin(policy)
        appendValue(value, kind, key: key, into: &output)
        return findings
    }

    mutating func begin(_ policy: SanitisePolicy) {
        findings = Findings()
        keysRedacted = 0
        self.policy = policy
        subject = .event
        keyStack.reset()
    }

    private mutating func appendMembers(
        _ object: ByteView,
        after separator: StaticString,
        into output: inout ByteBuffer,
        _ leavesOut: (ByteView) -> Bool
    ) {
        var cursor = JSONCursor(object)
        var (isFirst, isEmpty) = (true, true)
        do throws(JSONError) {
            try cursor.beginObject()
            while let rawKey = try cursor.nextKey(&isFirst) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                if leavesOut(rawKey) || describesPerson(rawKey, kind) { continue }
                output.append(isEmpty ? separator : ",")
                isEmpty = false
                appendMember(rawKey, value, kind, into: &output)
            }
        } catch {
            // The object was checked before; what cannot be read is not passed on.
        }
    }

    /// Whether a person's trait goes by its name alone. What says nothing harms nobody, and tells the
    /// operator that the trait is known.
    private mutating func describesPerson(_ rawKey: ByteView, _ kind: JSONCursor.Kind) -> Bool {
        guard subject == .person, kind == .string || kind == .number else { return false }
        text.reset()
        JSONText.unescape(rawKey, into: &text)
        guard let one = detector.personalClass(ofTrait: text.view) else { return false }
        findings.add(one)
        return true
    }

    private mutating func appendMember(
        _ rawKey: ByteView,
        _ value: ByteView,
        _ kind: JSONCursor.Kind,
        into output: inout ByteBuffer
    ) {
        appendName(rawKey, into: &output)
        let start = keyStack.count
        JSONText.unescape(rawKey, into: &keyStack)
        key.reset()
        key.append(keyStack.view(from: start))
        appendValue(value, kind, into: &output)
        keyStack.truncate(to: start)
    }

    /// A name that holds personal data is replaced by a numbered one.
    private mutating func appendName(_ rawKey: ByteView, into output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        if isCleanName(rawKey) {
            JSONText.appendStorable(value: rawKey, into: &output)
        } else {
            keysRedacted += 1
            output.append("[redacted-")
            output.append(decimal: Int64(keysRedacted))
            output.append("]")
        }
        output.append("\":")
    }

    private mutating func isCleanName(_ rawKey: ByteView) -> Bool {
        var hash = WordHash.seed ^ UInt64(rawKey.count)
        for index in 0..<rawKey.count { hash = WordHash.step(hash, UInt32(rawKey[index])) }
        hash |= 1
        let slot = Int(truncatingIfNeeded: hash >> 40) & (Self.namesRemembered - 1)
        if cleanNames[slot] == hash { return true }
        text.reset()
        JSONText.unescape(rawKey, into: &text)
        detector.scan(text.view, at: .propertyName)
        for span in detector.spans { findings.add(span.personalClass) }
        if detector.spans.isEmpty { cleanNames[slot] = hash }
        return detector.spans.isEmpty
    }

    // MARK: - Values

    private mutating func appendValue(
        _ value: ByteView,
        _ kind: JSONCursor.Kind,
        key name: ByteView,
        into output: inout ByteBuffer
    ) {
        key.reset()
        key.append(name)
        appendValue(value, kind, into: &output)
    }

    private mutating func appendValue(
        _ value: ByteView,
        _ kind: JSONCursor.Kind,
        into output: inout ByteBuffer
    ) {
        switch kind {
        case .object:
            output.append(UInt8(ascii: "{"))
            appendMembers(value, after: "", into: &output) { _ in false }
            output.append(UInt8(ascii: "}"))
        case .array: appendElements(of: value, into: &output)
        case .string: appendString(value, into: &output)
        case .number: appendNumber(value, into: &output)
        case .boolean, .null: output.append(value)
        }
    }

    /// Elements stand under the array's own name.
    private mutating func appendElements(of array: ByteView, into output: inout ByteBuffer) {
        var cursor = JSONCursor(array)
        var isFirst = true
        var separator: StaticString = "["
        let start = keyStack.count
        keyStack.append(key.view)
        do throws(JSONError) {
            try cursor.beginArray()
            while try cursor.nextElement(&isFirst) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                output.append(separator)
                separator = ","
                key.reset()
                key.append(keyStack.view(from: start))
                appendValue(value, kind, into: &output)
            }
        } catch {
            // As above.
        }
        keyStack.truncate(to: start)
        output.append(isFirst ? "[]" : "]")
    }

    private mutating func appendString(_ value: ByteView, into output: inout ByteBuffer) {
        let raw = value[1..<value.count - 1]
        let hasEscapes = raw.firstIndex(of: UInt8(ascii: "\\")) != nil
        if hasEscapes {
            text.reset()
            JSONText.unescape(raw, into: &text)
        }
        let plain = hasEscapes ? text.view : raw
        guard detector.scan(plain, at: .propertyValue, key: key.view) else {
            return JSONText.appendStorable(value: value, into: &output)
        }
        if isWhollyDropped(plain) {
            findings.add(detector.spans[0].personalClass)
            return output.append("null")
        }
        rewrite(plain, at: .propertyValue)
        appendQuoted(into: &output)
    }

    /// What was rewritten, quoted and in a form that can be stored.
    private mutating func appendQuoted(into output: inout ByteBuffer) {
        twice.reset()
        JSONText.appendQuoted(once.view, into: &twice)
        JSONText.appendStorable(value: twice.view, into: &output)
    }

    private mutating func appendNumber(_ value: ByteView, into output: inout ByteBuffer) {
        // Under a key that says nothing short numbers are nobody's; the detector knows keys.
        guard detector.hasMeaning(key.view) || value.count >= Self.bareDigitsMinimum,
            detector.scan(value, at: .propertyValue, key: key.view)
        else { return output.append(value) }
        let one = detector.spans[0].personalClass
        findings.add(one)
        if one.action == .drop { return output.append("null") }
        if one == .geo, policy.keepsCoarsePosition {
            return Self.appendCoarse(value, into: &output)
        }
        output.append(UInt8(ascii: "\""))
        output.append(one.token)
        output.append(UInt8(ascii: "\""))
    }

    /// Whether nothing but one find of a class that leaves no trace is there.
    private func isWhollyDropped(_ plain: ByteView) -> Bool {
        let spans = detector.spans
        guard spans.count == 1, spans[0].personalClass.action == .drop else { return false }
        for index in 0..<plain.count where index < spans[0].start || index >= spans[0].end {
            if plain[index] > 32 { return false }
        }
        return true
    }

    // MARK: - Texts

    /// Appends plain text (no JSON escapes) that was found at `place` under `key`, sanitised.
    public mutating func append(
        text plain: ByteView,
        at place: TextPlace,
        key name: ByteView = .empty,
        policy: SanitisePolicy,
        into output: inout ByteBuffer
    ) -> Findings {
        begin(policy)
        key.reset()
        key.append(name)
        guard detector.scan(plain, at: place, key: key.view) else {
            output.append(plain)
            return findings
        }
        rewrite(plain, at: place)
        output.append(once.view)
        return findings
    }

    /// Appends a checked string as JSON writes it, without its quotes, sanitised and storable.
    public mutating func append(
        rawText raw: ByteView,
        at place: TextPlace,
        key name: ByteView = .empty,
        policy: SanitisePolicy,
        into output: inout ByteBuffer
    ) -> Findings {
        begin(policy)
        key.reset()
        key.append(name)
        text.reset()
        JSONText.unescape(raw, into: &text)
        guard detector.scan(text.view, at: place, key: key.view) else {
            JSONText.appendStorable(value: raw, into: &output)
            return findings
        }
        rewrite(text.view, at: place)
        twice.reset()
        JSONText.appendQuoted(once.view, into: &twice)
        JSONText.appendStorable(value: twice.view[1..<twice.count - 1], into: &output)
        return findings
    }

    /// Leaves in `once` the text with what `detector` found replaced. What only shows when its
    /// neighbour is gone goes in a further round.
    mutating func rewrite(_ plain: ByteView, at place: TextPlace) {
        once.reset()
        replace(in: plain)
        for _ in 1..<Self.roundsMaximum {
            twice.reset()
            twice.append(once.view)
            guard detector.scan(twice.view, at: place, key: key.view) else { return }
            once.reset()
            replace(in: twice.view)
        }
        if detector.scan(once.view, at: place, key: key.view) {
            findings.add(.unscanned)
            once.reset()
            once.append(PersonalClass.unscanned.token)
        }
    }

    private mutating func replace(in plain: ByteView) {
        var position = 0
        for index in 0..<detector.spans.count {
            let span = detector.spans[index]
            findings.add(span.personalClass)
            once.append(plain[position..<span.start])
            if span.personalClass == .geo, policy.keepsCoarsePosition {
                Self.appendCoarse(plain[span.start..<span.end], into: &once)
            } else {
                once.append(span.personalClass.token)
            }
            position = span.end
        }
        once.append(plain[position..<plain.count])
    }

    /// Copies decimal numbers with one place; other characters as they are.
    private static func appendCoarse(_ text: ByteView, into output: inout ByteBuffer) {
        var places = -1
        for index in 0..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                places = 0
            } else if places >= 0, Characters.isDigit(byte) {
                places += 1
            } else {
                places = -1
            }
            if places < 2 { output.append(byte) }
        }
    }
}
