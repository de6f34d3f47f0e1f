import Bytes
import Glibc
import Rings
import Synchronization

/// One end of a ring on its way to the thread that will own it.
///
/// The mutex is taken once, for the thread's whole life: it makes the hand-over legal and takes no
/// part in what the ring itself promises.
final class Handover<End: ~Copyable & Sendable>: Sendable {
    let end: Mutex<End>

    init(_ end: consuming sending End) { self.end = Mutex(end) }
}

/// A ring whose two ends can be given to two threads.
struct TestRing: Sendable {
    let producer: Handover<RingProducer>
    let consumer: Handover<RingConsumer>

    init(capacity: Int) {
        let ends = ByteRing.make(capacity: capacity)
        producer = Handover(ends.producer)
        consumer = Handover(ends.consumer)
    }
}

/// A POSIX thread, because ThreadSanitizer understands how those begin and end.
struct TestThread {
    private let identifier: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let job = UnsafeMutablePointer<@Sendable () -> Void>.allocate(capacity: 1)
        job.initialize(to: body)
        pthread_create(
            &thread,
            nil,
            { raw in
                guard let job = raw?.assumingMemoryBound(to: (@Sendable () -> Void).self) else {
                    return nil
                }
                job.move()()
                job.deallocate()
                return nil
            },
            job
        )
        identifier = thread
    }

    func join() { pthread_join(identifier, nil) }
}

/// Runs both bodies at the same time and returns when both have ended.
func together(
    _ first: @escaping @Sendable () -> Void,
    _ second: @escaping @Sendable () -> Void
) {
    let threads = [TestThread(first), TestThread(second)]
    for thread in threads { thread.join() }
}

/// A small, fast generator with a known seed, so that a failure repeats.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state &<< 13
        state ^= state &>> 7
        state ^= state &<< 17
        return state
    }

    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: (next() &>> 11) % UInt64(bound))
    }
}

/// Keeps the calling thread on one processor, so that two threads which race really run at the same
/// time. A machine or container that has no such processor leaves the thread where it is. Looked up
/// by name because Swift's Glibc module is compiled without the GNU extensions.
func stayOnProcessor(_ number: Int) {
    typealias SetAffinity = @convention(c) (pid_t, Int, UnsafePointer<UInt64>) -> Int32
    guard let symbol = dlsym(nil, "sched_setaffinity") else { return }
    var mask: UInt64 = 1 << UInt64(number)
    _ = unsafeBitCast(symbol, to: SetAffinity.self)(0, MemoryLayout<UInt64>.size, &mask)
}

/// Gives the other thread a chance to run on a machine with fewer cores than threads.
struct Patience {
    private var spins = 0

    mutating func pause() {
        spins += 1
        if spins % 256 == 0 { sched_yield() }
    }
}

/// Calls `body` with a view of `bytes`.
func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) -> Result) -> Result {
    bytes.withUnsafeBytes { body(ByteView($0)) }
}

extension ByteView {
    /// The bytes in an array of their own.
    var array: [UInt8] { Array(buffer) }
}

/// Under ThreadSanitizer every access costs tenfold; the promises are the same with fewer rounds.
var roundsShare: Int { getenv("TSAN_OPTIONS") == nil ? 1 : 10 }
