import Bytes
import Records

struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state &<< 13
        state ^= state &>> 7
        state ^= state &<< 17
        return state &* 0x2545_f491_4f6c_dd1d
    }

    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: (next() &>> 11) % UInt64(bound))
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(below(256)) } }
}

func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBytes { try body(ByteView($0)) }
}

/// An event's content, apart from where it lies.
struct EventContent: Equatable {
    var number: UInt32
    var occurredAt: Int64
    var kind: EventKind
    var flags: UInt8
    var page: UInt16
    var name: [UInt8]
    var properties: [UInt8]

    init(random dice: inout Dice) {
        number = UInt32(truncatingIfNeeded: dice.next())
        occurredAt = Int64(truncatingIfNeeded: dice.next())
        kind = EventKind.allCases[dice.below(EventKind.allCases.count)]
        flags = UInt8(dice.below(2))
        page = UInt16(dice.below(65536))
        name = dice.bytes(dice.below(40))
        properties = dice.bytes(dice.below(200))
    }

    init(_ event: SliceEvent) {
        number = event.number
        occurredAt = event.occurredAt
        kind = event.kind
        flags = event.flags.rawValue
        page = event.page
        name = Array(event.name.buffer)
        properties = Array(event.properties.buffer)
    }
}

/// A slice's content, apart from where it lies. Texts in the order of the format.
struct SliceContent: Equatable {
    var numbers: [UInt32]
    var texts: [[UInt8]]
    var context: [UInt8]
    var events: [EventContent]

    init(random dice: inout Dice) {
        numbers = [
            UInt32(dice.below(64)), UInt32(dice.below(16)), UInt32(dice.below(4)),
            UInt32(truncatingIfNeeded: dice.next()),
        ]
        texts = []
        for _ in 0..<7 { texts.append(dice.bytes(dice.below(dice.below(10) == 0 ? 256 : 40))) }
        context = dice.bytes(dice.below(300))
        events = []
        for _ in 0..<dice.below(Slice.eventsMaximum + 1) {
            events.append(EventContent(random: &dice))
        }
    }

    /// Nil when an event's bytes are damaged.
    init?(_ slice: Slice) {
        numbers = [
            UInt32(slice.consent.rawValue), UInt32(slice.flags.rawValue),
            UInt32(slice.deviceClass.rawValue), slice.settingsVersion,
        ]
        texts = [
            slice.site, slice.visitor, slice.session, slice.window, slice.user, slice.batch,
            slice.address,
        ].map { Array($0.buffer) }
        context = Array(slice.context.buffer)
        var found: [EventContent] = []
        guard slice.forEachEvent({ _, event in found.append(EventContent(event)) }) else {
            return nil
        }
        events = found
    }

    /// The slice's bytes; nil when they do not fit `limit`.
    func written(limit: Int = 1 << 20) -> [UInt8]? {
        var writer = SliceWriter(limit: limit)
        withViews(texts + [context]) { views in
            var head = SliceWriter.Head()
            head.consent = Consent(rawValue: UInt8(numbers[0]))
            head.flags = Slice.Flags(rawValue: UInt8(numbers[1]))
            head.deviceClass = Slice.DeviceClass(rawValue: UInt8(numbers[2])) ?? .unknown
            head.settingsVersion = numbers[3]
            (head.site, head.visitor, head.session) = (views[0], views[1], views[2])
            (head.window, head.user, head.batch) = (views[3], views[4], views[5])
            (head.address, head.context) = (views[6], views[7])
            writer.begin(head)
        }
        for event in events {
            withView(event.name) {
                writer.beginEvent(
                    number: event.number,
                    occurredAt: event.occurredAt,
                    kind: event.kind,
                    flags: SliceEvent.Flags(rawValue: event.flags),
                    page: event.page,
                    name: $0
                )
            }
            withView(event.properties) { writer.buffer.append($0) }
            writer.endEvent()
        }
        guard writer.finish(eventCount: events.count) else { return nil }
        return Array(writer.buffer.view.buffer)
    }
}

/// Calls `body` with a view of each array, all alive at once.
private func withViews(_ arrays: [[UInt8]], _ body: ([ByteView]) -> Void) {
    let all = arrays.flatMap { $0 }
    withView(all) { whole in
        var start = 0
        body(
            arrays.map { array in
                defer { start += array.count }
                return whole[start..<start + array.count]
            }
        )
    }
}
