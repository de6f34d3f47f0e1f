import Bytes
import Records
import TestSupport

/// What identifies an event: its window and number, or its message id.
struct SentEvent: Hashable {
    let window: String
    let number: UInt32
    let messageID: String

    init(_ event: SliceEvent, of slice: Slice) {
        messageID = event.messageID.text
        window = messageID.isEmpty ? slice.window.text : ""
        number = event.number
    }
}

/// A batch as a client keeps it until it is answered.
struct SentBatch {
    let payload: [UInt8]
    let partition: Partition
}

/// Clients that keep a batch until it is acknowledged, send it again when no answer comes, and repeat
/// some of what was acknowledged. One batch of a visitor is under way at a time, as in the SDK.
struct SimulatedSenders {
    private struct Sender {
        let visitor: String
        let window: String
        let usesMessageIDs: Bool
        var number: UInt32 = 0
        var batch: SentBatch?
        /// Connection on which an answer to the batch is awaited.
        var connection: UInt64?
    }

    private var senders: [Sender] = []
    private var connections: [UInt64: Int] = [:]
    private var nextConnection: UInt64 = 1
    private(set) var batchesLeft: Int
    /// Every payload that was ever handed to the engine.
    private(set) var sent: Set<[UInt8]> = []
    /// Payloads that were acknowledged.
    private(set) var acknowledged: [[UInt8]] = []
    /// Batches that were sent more than once.
    private(set) var resent = 0
    private(set) var refused = 0

    init(visitors: Int, batches: Int, _ dice: inout Dice) {
        batchesLeft = batches
        for index in 0..<visitors {
            senders.append(
                Sender(
                    visitor: "visitor-\(dice.roll(0...(visitors - 1)))",
                    window: "window-\(index)",
                    usesMessageIDs: dice.chance(0.25)
                )
            )
        }
    }

    /// Whether everything was sent and acknowledged.
    var isDone: Bool { batchesLeft == 0 && senders.allSatisfy { $0.batch == nil } }

    /// The engine has died: no answer will come.
    mutating func loseAnswers() {
        connections.removeAll()
        for index in senders.indices { senders[index].connection = nil }
    }

    /// The next batch to hand to the engine, if any sender has one to send now.
    mutating func next(at now: Int64, _ dice: inout Dice) -> (connection: UInt64, SentBatch)? {
        let index = dice.roll(0...(senders.count - 1))
        if senders[index].connection != nil { return nil }
        if let old = senders[index].batch {
            resent += 1
            return send(old, index)
        }
        if batchesLeft == 0 { return nil }
        if !acknowledged.isEmpty, dice.chance(0.1) { return repeated(&dice) }
        batchesLeft -= 1
        let batch = makeBatch(&senders[index], at: now, &dice)
        senders[index].batch = batch
        return send(batch, index)
    }

    private mutating func send(_ batch: SentBatch, _ index: Int) -> (UInt64, SentBatch) {
        let connection = nextConnection
        nextConnection += 1
        connections[connection] = index
        senders[index].connection = connection
        sent.insert(batch.payload)
        return (connection, batch)
    }

    /// Something that was acknowledged comes again; nobody waits for the answer.
    private mutating func repeated(_ dice: inout Dice) -> (UInt64, SentBatch) {
        let payload = acknowledged[dice.roll(0...(acknowledged.count - 1))]
        nextConnection += 1
        resent += 1
        return (nextConnection - 1, SentBatch(payload: payload, partition: Self.partition(payload)))
    }

    private static func partition(_ payload: [UInt8]) -> Partition {
        payload.withUnsafeBytes { bytes in
            Slice(ByteView(bytes)).map { Partition(visitor: $0.visitor) } ?? Partition(0)
        }
    }

    /// Takes an answer of the engine.
    mutating func answered(_ connection: UInt64, isDurable: Bool) {
        guard let index = connections.removeValue(forKey: connection) else { return }
        senders[index].connection = nil
        guard isDurable, let batch = senders[index].batch else {
            refused += 1
            return
        }
        acknowledged.append(batch.payload)
        senders[index].batch = nil
    }

    /// A client gives up waiting and will send again.
    mutating func hangUp(_ dice: inout Dice) {
        let index = dice.roll(0...(senders.count - 1))
        guard let connection = senders[index].connection else { return }
        connections[connection] = nil
        senders[index].connection = nil
    }

    // MARK: - Behaviour

    private func makeBatch(
        _ sender: inout Sender,
        at now: Int64,
        _ dice: inout Dice
    ) -> SentBatch {
        var writer = SliceWriter(limit: 1 << 16)
        begin(&writer, sender, &dice)
        let count = dice.roll(1...4)
        for _ in 0..<count {
            sender.number += 1
            write(Behaviour.pool[dice.roll(0...(Behaviour.pool.count - 1))], &writer, sender, now)
        }
        precondition(writer.finish(eventCount: count), "a simulated batch must fit")
        return SentBatch(
            payload: Array(writer.buffer.view.buffer),
            partition: withView(sender.visitor) { Partition(visitor: $0) }
        )
    }

    private func begin(_ writer: inout SliceWriter, _ sender: Sender, _ dice: inout Dice) {
        let session = dice.chance(0.2) ? "" : "session-\(dice.roll(1...3))"
        let consents: [Consent] = [.all, .all, .all, [.measurement, .profiling], [.measurement]]
        let consent = consents[dice.roll(0...4)]
        withView("demo") { site in
            withView(sender.visitor) { visitor in
                withView(sender.usesMessageIDs ? "" : sender.window) { window in
                    withView(session) { session in
                        var head = SliceWriter.Head()
                        (head.site, head.visitor) = (site, visitor)
                        (head.window, head.session) = (window, session)
                        head.consent = consent
                        head.flags = sender.visitor == "visitor-5" ? [.bot] : []
                        writer.begin(head)
                    }
                }
            }
        }
    }

    private func write(
        _ behaviour: Behaviour,
        _ writer: inout SliceWriter,
        _ sender: Sender,
        _ now: Int64
    ) {
        let id = sender.usesMessageIDs ? "\(sender.window)-\(sender.number)" : ""
        withView(behaviour.name) { name in
            withView(id) { id in
                writer.beginEvent(
                    number: sender.usesMessageIDs ? 0 : sender.number,
                    occurredAt: now - behaviour.ageMilliseconds,
                    kind: behaviour.kind,
                    flags: [],
                    page: 1,
                    name: name,
                    messageID: id
                )
            }
        }
        withView(behaviour.properties) { writer.buffer.append($0) }
        writer.endEvent()
    }
}

/// What visitors do, one of each kind that changes the state in a way of its own.
private struct Behaviour {
    let kind: EventKind
    let properties: [UInt8]
    let name: String
    let ageMilliseconds: Int64

    private init(_ kind: EventKind, _ text: String, name: String = "", age: Int64 = 1_000) {
        self.kind = kind
        properties = Array(text.utf8)
        self.name = name
        ageMilliseconds = age
    }

    static let pool: [Behaviour] = [
        Behaviour(
            .pageSummary,
            #"{"vz":[60000,50000,40000,1,1,9000,1,60000],"sc":[9000,500,400,300,2,1,1,90],"#
                + #""S":[[1,"pricing",2,9000,80,120,1,2]],"ck":[3,2,1,0,0,0,900,200]}"#
        ),
        Behaviour(
            .pageSummary,
            #"{"vz":[9000,8000,7000,0,0,100,0,9000],"rd":[9000,12000,80,60,20,30000],"#
                + #""mo":[100,9000,8000,40,3,9,9,20,60,1],"ck":[1,1,0,1,1,1,400,90]}"#,
            age: 90_000
        ),
        Behaviour(.pageView, #"{"u":"https://shop.example/pricing","h":2400,"wc":500}"#),
        Behaviour(.pageView, #"{"u":"https://shop.example/product/7","h":900,"wc":90}"#, age: 5),
        Behaviour(.click, #"{"a":"Add to cart","g":"button","x":10,"y":20,"f":2}"#),
        Behaviour(.form, #"{"f":"checkout","ph":2,"cp":60,"sb":0,"ff":[["a",4000,9000,1,1,0,0]]}"#),
        Behaviour(.form, #"{"f":"checkout","ph":4,"cp":60,"sb":0,"ff":[]}"#),
        Behaviour(.navigation, #"{"ty":"u"}"#, age: 7_200_000),
        Behaviour(.custom, "{}", name: "add_to_cart"),
        Behaviour(.custom, #"{"value":9}"#, name: "purchase"),
        Behaviour(.consent, #"{"bits":63}"#),
        Behaviour(.consent, #"{"bits":3}"#),
    ]
}
