import Bytes
import Privacy
import Records
import Rings
import Settings
import Telemetry

/// What a listener knows about something that it refuses. Views need to live for the call only.
struct RejectionFacts {
    /// Why.
    var problem: Problem
    /// Where in the request, as in the answer.
    var place: String
    /// When the last byte of the request arrived, epoch milliseconds.
    var receivedAt: Int64
    /// Wire format of the sender.
    var format = Rejection.Format.unknown
    /// Path of the request, without its query.
    var path = ByteView.empty
    /// Site name; empty when the key is not known.
    var site = ByteView.empty
    /// The key as it was sent; empty when it could not be read.
    var key = ByteView.empty
    /// Window id and number of one event of the SDK; number 0 when not known.
    var window = ByteView.empty
    /// See `window`.
    var number: UInt32 = 0
    /// The sender's message id of one event; empty for events of the SDK.
    var messageID = ByteView.empty
    /// What the visitor agreed to: as sent, or the site's default; nil when nothing could be decoded.
    var consent: Consent?
    /// The client's address, 4 or 16 bytes. Kept truncated, and only with consent to measurement.
    var address = ByteView.empty
    /// `User-Agent`. Kept only with consent to measurement.
    var userAgent = ByteView.empty
    /// Device id and user id as they lie in the request's bytes: overwritten there when the visitor
    /// has not agreed to them.
    var device = ByteView.empty
    /// See `device`.
    var user = ByteView.empty
}

/// The bytes of what is refused.
enum RejectedContent {
    /// Bytes that cannot be sent again, because they do not decode. Their first part is kept.
    case undecodable(ByteView)
    /// A whole request body that decodes: it can be sent again after a fix.
    case body(ByteView)
    /// One event of a body, and what must stand around it to make a body of its own.
    case event(ByteView, head: ByteView, tail: ByteView)

    /// One event of a beacon of the SDK: the body with nothing but this event in its array `e`.
    /// `events` is that array with its brackets; all three are views of the same memory.
    static func event(
        _ event: ByteView,
        of events: ByteView,
        in body: ByteView
    ) -> RejectedContent {
        guard let array = events.offset(in: body), event.offset(in: body) != nil,
            let open = events.firstIndex(of: UInt8(ascii: "[")),
            let close = events.lastIndex(of: UInt8(ascii: "]")), open < close
        else { return .undecodable(event) }
        // White space may stand around the array.
        let head = body[0..<array + open + 1]
        let tail = body[array + close..<body.count]
        return .event(event, head: head, tail: tail)
    }
}

extension ByteView {
    fileprivate func lastIndex(of byte: UInt8) -> Int? {
        var index = count - 1
        while index >= 0, self[index] != byte { index -= 1 }
        return index < 0 ? nil : index
    }

    /// Where this view begins in `other`; nil when it does not lie in it.
    fileprivate func offset(in other: ByteView) -> Int? {
        guard let start = buffer.baseAddress, let base = other.buffer.baseAddress else {
            return nil
        }
        let offset = start - base
        return other.holds(count, at: offset) ? offset : nil
    }
}

/// Keeps what a listener refuses, bounded: sanitised copies go to the journal, nobody waits for them.
///
///     rejections.keep(facts, .event(reader.bytes, of: beacon.events, in: body))  // one bad event
///     rejections.keep(facts, .body(body))         // decodes; key, origin or ids are refused
///     rejections.keep(facts, .undecodable(body))  // not JSON, not UTF-8, no such format
///     if rejections.flush(into: &toJournal) { journalWaker.wake() }  // once per request
///
/// To be called once for each thing that is refused: when all events of a batch were refused one by
/// one, the batch itself is not kept as well. Not to be called for a replay (`ReplayGate.isReplay`),
/// whose row has its outcome already. Problems that ask the sender to try again are passed over: the
/// sender still has the bytes. Counting by reason stays the caller's (`counters.add(problem)`).
///
/// Owned by one listener; its buffers are reused, keeping allocates nothing.
final class Rejections {
    private static let frontSize = 16

    private let counters: CounterBlock
    /// The second that the budget below is of, and what has been kept in it.
    private var second: Int64 = 0
    private var count = 0
    private var bytes = 0
    /// Rejections on their way to the journal: length, partition, received at, then the payload.
    private var queue = ByteBuffer(
        capacity: 4096,
        limit: Limits.rejectedBytesPerSecondMaximum + Limits.recordBytesMaximum
    )
    /// Head, event and tail joined, before they are sanitised.
    private var joined = ByteBuffer(capacity: 4096, limit: Limits.rejectedBytesMaximum)
    private var text = ByteBuffer(capacity: 512, limit: 1024)
    private var mask = RejectedBytes()

    init(counters: CounterBlock) { self.counters = counters }

    /// Whether there is something to flush.
    var isEmpty: Bool { queue.count == 0 }

    /// Keeps a sanitised copy until `flush`, if the budget of this second allows it.
    func keep(_ facts: RejectionFacts, _ content: RejectedContent) {
        guard canKeep(facts.problem, receivedAt: facts.receivedAt) else {
            if !facts.problem.isTemporary { counters.add(.rejectionsNotKept) }
            return
        }
        var rejection = Rejection()
        let length = join(content, facts, &rejection)
        rejection.originalLength = UInt32(clamping: length)
        let mark = queue.count
        write(facts, &rejection)
        count += 1
        bytes += queue.count - mark
    }

    /// Whether `keep` would keep it, so that facts that cost something need not be gathered in vain.
    func canKeep(_ problem: Problem, receivedAt: Int64) -> Bool {
        if problem.isTemporary { return false }
        if receivedAt / 1000 != second { (second, count, bytes) = (receivedAt / 1000, 0, 0) }
        return count < Limits.rejectionsPerSecondMaximum
            && bytes < Limits.rejectedBytesPerSecondMaximum
            && queue.count < Limits.rejectedBytesPerSecondMaximum
    }

    // MARK: - The bytes

    /// Puts what may be kept into `joined`. Returns how many bytes the sender's thing had.
    private func join(
        _ content: RejectedContent,
        _ facts: RejectionFacts,
        _ rejection: inout Rejection
    ) -> Int {
        joined.reset()
        if let consent = facts.consent, !ConsentGate.allowsStoring(consent) {
            rejection.flags.insert(.withheld)
        }
        switch content {
        case .undecodable(let bytes):
            rejection.flags.insert(.wholeBatch)
            keepPrefix(of: bytes, &rejection)
            return bytes.count
        case .body(let body):
            rejection.flags.insert(.wholeBatch)
            if !keepWhole([body, .empty, .empty], facts, &rejection) {
                keepPrefix(of: body, &rejection)
            }
            return body.count
        case .event(let event, let head, let tail):
            if !keepWhole([head, event, tail], facts, &rejection) {
                keepPrefix(of: event, &rejection)
            }
            return event.count
        }
    }

    private func keepPrefix(of bytes: ByteView, _ rejection: inout Rejection) {
        if rejection.flags.contains(.withheld) { return }
        let kept = min(bytes.count, Limits.rejectedPrefixBytesMaximum)
        if kept < bytes.count { rejection.flags.insert(.truncated) }
        joined.append(bytes[0..<kept])
    }

    /// False when the pieces are more than may be kept.
    private func keepWhole(
        _ pieces: InlineArray<3, ByteView>,
        _ facts: RejectionFacts,
        _ rejection: inout Rejection
    ) -> Bool {
        if rejection.flags.contains(.withheld) { return true }
        let total = pieces[0].count + pieces[1].count + pieces[2].count
        guard total <= Limits.rejectedBytesMaximum else { return false }
        let consent = facts.consent ?? .all
        for index in 0..<3 {
            let start = joined.count
            joined.append(pieces[index])
            let piece = pieces[index]
            if !ConsentGate.allowsDeviceID(consent) { hide(facts.device, in: piece, start) }
            if !ConsentGate.allowsUserID(consent) { hide(facts.user, in: piece, start) }
        }
        rejection.flags.insert(.replayable)
        return true
    }

    /// Overwrites an id that lies in a piece which was copied to `start`. No id has a star.
    private func hide(_ id: ByteView, in piece: ByteView, _ start: Int) {
        guard !id.isEmpty, let offset = id.offset(in: piece) else { return }
        for index in 0..<id.count {
            joined.overwrite(littleEndian: UInt8(ascii: "*"), at: start + offset + index)
        }
    }

    // MARK: - The payload

    private func write(_ facts: RejectionFacts, _ rejection: inout Rejection) {
        let frame = queue.count
        queue.append(littleEndian: UInt32(0))
        queue.append(littleEndian: UInt32(partition(facts).index))
        queue.append(littleEndian: facts.receivedAt)
        let start = begin(facts, &rejection)
        if mask.sanitise(joined.view, into: &queue) {
            Rejection.setFlags(rejection.flags.union(.masked), at: start, in: &queue)
        }
        queue.overwrite(littleEndian: UInt32(queue.count - start), at: frame)
    }

    /// Writes the texts, each sanitised as well: a key or an id is what a stranger sent.
    private func begin(_ facts: RejectionFacts, _ rejection: inout Rejection) -> Int {
        text.reset()
        let place = appendText { $0.append(text: facts.place) }
        let key = appendText {
            let count = min(facts.key.count, Limits.rejectedKeyBytesMaximum)
            _ = mask.sanitise(facts.key[0..<count], into: &$0)
        }
        let isWithheld = rejection.flags.contains(.withheld)
        let id = appendText { if !isWithheld { appendID(facts, to: &$0) } }
        let address = appendText {
            guard let consent = facts.consent, ConsentGate.allowsStoring(consent) else { return }
            AddressTruncation.append(facts.address, into: &$0)
        }
        let agent = appendText {
            guard let consent = facts.consent, ConsentGate.allowsStoring(consent) else { return }
            $0.append(facts.userAgent[0..<min(facts.userAgent.count, 255)])
        }
        rejection.format = facts.format
        rejection.reason = ByteView(facts.problem.row.code)
        rejection.site = facts.site
        rejection.path = facts.path[0..<min(facts.path.count, Limits.rejectedIdBytesMaximum)]
        rejection.place = text.view[place]
        rejection.key = text.view[key]
        rejection.id = text.view[id]
        rejection.address = text.view[address]
        rejection.userAgent = text.view[agent]
        return rejection.begin(in: &queue)
    }

    private func appendText(_ body: (inout ByteBuffer) -> Void) -> Range<Int> {
        let start = text.count
        body(&text)
        return start..<text.count
    }

    private func appendID(_ facts: RejectionFacts, to buffer: inout ByteBuffer) {
        let limit = Limits.rejectedIdBytesMaximum
        if !facts.messageID.isEmpty {
            let count = min(facts.messageID.count, limit)
            _ = mask.sanitise(facts.messageID[0..<count], into: &buffer)
        } else if facts.number > 0, facts.window.count <= limit - 11 {
            buffer.append(facts.window)
            buffer.append(UInt8(ascii: "-"))
            buffer.append(decimal: Int64(facts.number))
        }
    }

    /// By reason and key, so that one bad sender's rejections share a partition and others' do not.
    private func partition(_ facts: RejectionFacts) -> Partition {
        let word = facts.key.crc16() ^ UInt16(facts.problem.rawValue) &* 257
        return Partition(UInt8(truncatingIfNeeded: word))
    }

    // MARK: - To the journal

    /// Hands over what was kept. What the ring has no room for is counted and let go. True when the
    /// journal has something to read: it is to be woken.
    func flush(into ring: inout RingProducer) -> Bool {
        if isEmpty { return false }
        var position = 0
        while position < queue.count {
            let length = Int(queue.view.load(UInt32.self, at: position))
            let start = position + Self.frontSize
            let pushed = ring.push(
                kind: ListenerMessage.rejection.rawValue,
                first: 0,
                second: queue.view.load(UInt64.self, at: position + 8),
                third: UInt64(queue.view.load(UInt32.self, at: position + 4)),
                body: queue.view[start..<start + length]
            )
            if !pushed { counters.add(.rejectionsNotKept) }
            position = start + length
        }
        queue.reset()
        return true
    }
}
