public import Bytes
public import Records

/// A member of an event: key without quotes, value as it was written.
public struct EventField {
    /// The key, escapes not resolved.
    public let key: ByteView
    /// The value's bytes, checked for grammar.
    public let value: ByteView
    /// The value's type.
    public let kind: JSONCursor.Kind
}

/// Why one event of a batch was dropped; the others are unharmed.
public enum EventFault: UInt8, Error, CaseIterable, Sendable {
    case notAnObject, unknownType, missingType, badNumber, badOffset, badPage, tooLarge
    case tooManyFields, badField, badValue
}

/// Steps through the events of a beacon, and checks the grammar of what it steps over.
///
/// An event's members are noted in a small table first, because its type, which decides what they
/// mean, may come last. Owned by one listener; reused for every event.
public struct BeaconEventReader: ~Copyable {
    /// The most members an event may have.
    public static let fieldsMaximum = 48

    private var cursor: JSONCursor
    private var first = true
    private var fields: InlineArray<48, EventField>
    /// Number of members of the current event that belong to its type.
    public private(set) var fieldCount = 0
    /// Number in the window.
    public private(set) var number: UInt32 = 0
    /// Type.
    public private(set) var kind = EventKind.custom
    /// Milliseconds since the page's time origin.
    public private(set) var offsetMilliseconds: Int64 = 0
    /// Page-view number in the window.
    public private(set) var page: UInt16 = 0
    /// The event's bytes.
    public private(set) var bytes = ByteView.empty

    /// The text is not sound JSON; what was read so far does not count.
    private var isBroken = false
    private var sawNumber = false
    private var sawType = false
    private var sawOffset = false
    private var sawPage = false

    /// How deep an event and a member of it lie in a beacon: an object, the array, the event.
    private static let eventDepth = 3
    private static let memberDepth = 4

    /// A reader at the first of `events`, the array of a beacon.
    public init(_ events: ByteView) {
        cursor = JSONCursor(events)
        fields = .init(
            repeating: EventField(key: .empty, value: .empty, kind: .null)
        )
        isBroken = (try? cursor.beginArray()) == nil
    }

    /// To be asked when `next` has returned nil: whether the array was sound JSON and nothing follows.
    public mutating func isSound() -> Bool {
        !isBroken && (try? cursor.end()) != nil
    }

    /// The member at `index`, of those that are the type's own.
    public func field(_ index: Int) -> EventField { fields[index] }

    /// Moves to the next event: nil at the end, else whether it can be used.
    public mutating func next() -> Result<Void, EventFault>? {
        guard !isBroken, let hasAnother = try? cursor.nextElement(&first) else {
            isBroken = true
            return nil
        }
        guard hasAnother else { return nil }
        let start = cursor.position
        let outcome = readEvent()
        if isBroken { return nil }
        bytes = cursor.bytes[start..<cursor.position]
        return outcome
    }

    private mutating func readEvent() -> Result<Void, EventFault> {
        reset()
        guard (try? cursor.kind()) == .object else {
            isBroken = (try? cursor.skip(depth: Self.eventDepth, anyNumbers: true)) == nil
            return .failure(.notAnObject)
        }
        let outcome = readMembers()
        if case .failure = outcome { return outcome }
        if !sawType { return .failure(.missingType) }
        if !sawNumber { return .failure(.badNumber) }
        return outcome
    }

    private mutating func reset() {
        fieldCount = 0
        number = 0
        offsetMilliseconds = 0
        page = 0
        sawNumber = false
        sawType = false
        sawOffset = false
        sawPage = false
    }

    /// Reads all members, also after a fault, so that the next event is found.
    private mutating func readMembers() -> Result<Void, EventFault> {
        var outcome = Result<Void, EventFault>.success(())
        var isFirst = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&isFirst) {
                let kind = try cursor.kind()
                var isStorable = true
                let value = try readValue(&isStorable)
                do throws(EventFault) {
                    guard isStorable else { throw .badValue }
                    try take(EventField(key: key, value: value, kind: kind))
                } catch {
                    if case .success = outcome { outcome = .failure(error) }
                }
            }
        } catch {
            isBroken = true
        }
        return outcome
    }

    /// The next value. A number that cannot be stored is the event's fault, not the batch's.
    private mutating func readValue(_ isStorable: inout Bool) throws(JSONError) -> ByteView {
        let start = cursor.position
        do throws(JSONError) {
            return try cursor.skip(depth: Self.memberDepth)
        } catch {
            guard error.reason == .numberOutOfRange else { throw error }
            isStorable = false
            cursor.position = start
            return try cursor.skip(depth: Self.memberDepth, anyNumbers: true)
        }
    }

    private mutating func take(_ field: EventField) throws(EventFault) {
        guard field.key.count == 1 else { return try note(field) }
        switch field.key[0] {
        case UInt8(ascii: "t"): try takeType(field)
        case UInt8(ascii: "n"): try takeNumber(field)
        case UInt8(ascii: "o"): try takeOffset(field)
        case UInt8(ascii: "p"): try takePage(field)
        default: try note(field)
        }
    }

    private mutating func note(_ field: EventField) throws(EventFault) {
        guard fieldCount < Self.fieldsMaximum else { throw .tooManyFields }
        // Of repeated keys the first wins (documented); jsonb would keep the last.
        for index in 0..<fieldCount where fields[index].key.equals(field.key) { return }
        fields[fieldCount] = field
        fieldCount &+= 1
    }

    private mutating func takeType(_ field: EventField) throws(EventFault) {
        if sawType { return }
        guard field.kind == .string,
            let kind = EventKind(code: field.value[1..<field.value.count - 1])
        else { throw .unknownType }
        self.kind = kind
        sawType = true
    }

    private mutating func takeNumber(_ field: EventField) throws(EventFault) {
        if sawNumber { return }
        guard field.kind == .number, let value = JSONNumber.integer(field.value), value > 0,
            value <= Int64(UInt32.max)
        else { throw .badNumber }
        number = UInt32(value)
        sawNumber = true
    }

    private mutating func takeOffset(_ field: EventField) throws(EventFault) {
        if sawOffset { return }
        guard field.kind == .number, let value = JSONNumber.double(field.value),
            value.magnitude < 1e13
        else { throw .badOffset }
        offsetMilliseconds = Int64(value)
        sawOffset = true
    }

    private mutating func takePage(_ field: EventField) throws(EventFault) {
        if sawPage { return }
        guard field.kind == .number, let value = JSONNumber.integer(field.value), value >= 0,
            value <= Int64(UInt16.max)
        else { throw .badPage }
        page = UInt16(value)
        sawPage = true
    }
}
