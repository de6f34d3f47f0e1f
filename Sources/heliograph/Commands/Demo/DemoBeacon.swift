/// A request of the SDK, as it came on some day.
struct DemoBeacon {
    let body: String
    let userAgent: String
    /// When it came, epoch milliseconds.
    let receivedAt: Int64
    /// Events that are to be stored.
    let events: Int
    /// Events that nobody agreed to.
    let refused: Int
    /// Orders among those that are to be stored.
    let purchases: Int
    /// How the journal knows its first event.
    let firstEvent: DemoEventID
}

/// Window and number: what an event is known by.
struct DemoEventID: Hashable {
    let window: String
    let number: Int
}

/// Writes a visit's beacons: ids, numbers and clocks as the SDK has them. One tab of one browser.
struct DemoTab {
    private static let transitMilliseconds = 24...190

    private let visitor: DemoVisitor
    private let key: String
    private let window: String
    private let session: String
    private(set) var beacons: [DemoBeacon] = []
    /// The present moment, epoch milliseconds.
    var time: Int64
    /// When the page was opened that is shown.
    private var opened: Int64 = 0
    private var page = 0
    private var number = 0
    private var sequence = 0
    private var events: [String] = []
    private var user: String?
    private var purchases = 0

    init(_ visitor: DemoVisitor, key: String, begin: Int64, _ dice: inout DemoDice) {
        (self.visitor, self.key, time) = (visitor, key, begin)
        (window, session) = (dice.id(), dice.id())
        user = nil
    }

    /// Another page is shown from now on.
    mutating func open() {
        (opened, page) = (time, page + 1)
    }

    /// Something happens so many milliseconds before now; `members` are the event's own.
    mutating func note(_ type: String, ago milliseconds: Int64 = 0, _ members: String) {
        number += 1
        let offset = max(0, time - opened - milliseconds)
        events.append(
            "{\"n\":\(number),\"t\":\"\(type)\",\"o\":\(offset),\"p\":\(page),\(members)}"
        )
    }

    /// A custom event.
    mutating func tell(_ name: String, ago milliseconds: Int64 = 0, _ properties: String) {
        note("cu", ago: milliseconds, "\"name\":\"\(name)\",\"props\":{\(properties)}")
        if name == "purchase" { purchases += 1 }
    }

    /// From now on the visitor is known by name.
    mutating func identify(_ name: String) {
        guard visitor.consent & 8 != 0, user == nil else { return }
        user = name
        note("id", "\"uid\":\"\(name)\",\"traits\":{\"customer\":\"demo\"}")
    }

    /// Sends what was noted since the last time.
    mutating func send(context: Bool = false, _ dice: inout DemoDice) {
        guard !events.isEmpty else { return }
        sequence += 1
        let isStored = visitor.consent & 1 != 0
        beacons.append(
            DemoBeacon(
                body: head(context, &dice) + "\"e\":[" + events.joined(separator: ",") + "]}",
                userAgent: visitor.machine.userAgent,
                receivedAt: time + Int64(dice.number(Self.transitMilliseconds)),
                events: isStored ? events.count : 0,
                refused: isStored ? 0 : events.count,
                purchases: isStored ? purchases : 0,
                firstEvent: DemoEventID(window: window, number: number - events.count + 1)
            )
        )
        events.removeAll(keepingCapacity: true)
        purchases = 0
    }

    private func head(_ context: Bool, _ dice: inout DemoDice) -> String {
        var head = "{\"v\":1,\"k\":\"\(key)\",\"b\":\"\(dice.id())\",\"st\":\(time),"
        head += "\"mt\":\(time - opened),\"w\":\"\(window)\",\"q\":\(sequence),"
        if visitor.consent & 2 != 0 { head += "\"d\":\"\(visitor.device)\"," }
        head += "\"s\":\"\(session)\","
        if let user { head += "\"u\":\"\(user)\"," }
        head += "\"c\":\(visitor.consent),"
        return context ? head + "\"x\":\(self.context)," : head
    }

    private var context: String {
        let machine = visitor.machine
        return "{\"l\":\"\(visitor.language.name)\",\"z\":\(visitor.language.zoneMinutes),"
            + "\"vw\":\(machine.viewport.width),\"vh\":\(machine.viewport.height),"
            + "\"pr\":\(machine.isTouch ? 3 : 1),\"in\":\(machine.isTouch ? 0 : 1)}"
    }
}
