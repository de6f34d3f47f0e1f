import Bytes
import Records
import Rings
import Units

/// The messages in the ring from a worker to a listener, which says what score a record made. First =
/// the listener's number of the wait; body = a `ScoreReply`.
enum ScoreMessage: UInt32 {
    case score = 1
}

/// Which listener's wait a record answers: one word, 0 for most records, which nobody waits for.
struct ScoreTicket: BitwiseCopyable {
    let word: UInt64

    /// None for the number 0.
    init(listener: Int, number: UInt64) {
        word = number == 0 ? 0 : UInt64(listener + 1) << ScoreWaits.numberBits | number
    }

    init(word: UInt64) { self.word = word }

    var isAny: Bool { word != 0 }
    var listener: Int { Int(word >> ScoreWaits.numberBits) - 1 }
    var number: UInt64 { word & (1 << ScoreWaits.numberBits - 1) }
}

/// A worker's way to one listener. Owned by the worker's thread.
struct ScoreSender: ~Copyable {
    private var ring: RingProducer
    private let waker: Waker

    init(ring: consuming RingProducer, waker: Waker) {
        self.ring = ring
        self.waker = waker
    }

    /// Tells what there is. When the ring is full the listener hears nothing, and answers without.
    mutating func tell(_ reply: ScoreReply, _ number: UInt64) {
        let pushed = withUnsafeBytes(of: reply) { bytes in
            ring.push(
                kind: ScoreMessage.score.rawValue,
                first: number,
                second: 0,
                third: 0,
                body: ByteView(bytes)
            )
        }
        if pushed { waker.wake() }
    }
}

extension ScoreReply {
    /// Reads what `ScoreSender` wrote: the same program, so the same layout.
    init(_ frame: Frame) {
        invariant(
            frame.body.count == MemoryLayout<ScoreReply>.size,
            "a score of another size came from a worker"
        )
        self = frame.body.buffer.loadUnaligned(as: ScoreReply.self)
    }
}
