import Bytes
import Intake
import Records
import Settings
import Storage

/// The answers of one listener that wait for the score which their beacon makes.
///
/// A wait's number travels with the slice to the journal and from there with the record to its
/// worker, and comes back with the score. Numbers are never used twice: a score that comes too late
/// finds nobody, not the connection's next request, which may be another visitor's. Owned by the
/// listener's thread; memory is fixed.
struct ScoreWaits: ~Copyable {
    /// What is known of a wait.
    struct Wait: BitwiseCopyable {
        fileprivate(set) var number: UInt64 = 0
        fileprivate(set) var connection = ConnectionID(word: 0)
        /// When the answer goes without a score, monotonic nanoseconds; nil until the beacon is durable:
        /// never is a score told of what may yet be lost.
        fileprivate(set) var deadline: Int64?
        /// What the worker said, when it spoke before the journal's answer was read.
        fileprivate(set) var said: ScoreReply?
    }

    private var waits = [Wait](repeating: Wait(), count: Limits.scoreWaitsMaximum)
    private var last: UInt64 = 0
    /// Waits under way.
    private(set) var count = 0

    /// Numbers have this many bits; the rest of a ticket names the listener.
    static let numberBits: UInt64 = 48

    private static func place(_ number: UInt64) -> Int {
        Int(number % UInt64(Limits.scoreWaitsMaximum))
    }

    /// Begins a wait for `connection`; nil when too many are under way.
    mutating func begin(_ connection: ConnectionID) -> UInt64? {
        let number = last + 1
        guard waits[Self.place(number)].number == 0 else { return nil }
        last = number
        var wait = Wait()
        (wait.number, wait.connection) = (number, connection)
        waits[Self.place(number)] = wait
        count += 1
        return number
    }

    /// The beacon is on disk. Returns what the worker has said already; from now on its answer waits
    /// until `deadline` at most.
    mutating func setDurable(_ number: UInt64, deadline: Int64) -> ScoreReply? {
        guard waits[Self.place(number)].number == number else { return ScoreReply.nothing }
        waits[Self.place(number)].deadline = deadline
        return waits[Self.place(number)].said
    }

    /// A worker has spoken. Returns whose answer goes now; nil when nobody waits any more, or the
    /// journal's own answer has not been read.
    mutating func take(_ reply: ScoreReply, _ number: UInt64) -> Wait? {
        let place = Self.place(number)
        guard waits[place].number == number else { return nil }
        if waits[place].deadline != nil { return waits[place] }
        waits[place].said = reply
        return nil
    }

    /// Ends a wait, whatever became of it.
    mutating func end(_ number: UInt64) {
        guard number > 0, waits[Self.place(number)].number == number else { return }
        waits[Self.place(number)] = Wait()
        count -= 1
    }

    /// A wait whose answer is to go without a score, or nil; to be ended, and asked again until it is nil.
    func overdue(at now: Int64) -> Wait? {
        if count == 0 { return nil }
        return waits.first { wait in wait.deadline.map { $0 <= now } ?? false }
    }
}

/// What a worker says of the score that a record made.
enum ScoreReply: BitwiseCopyable {
    /// There is none: nothing new, or nothing that may be told.
    case nothing
    case reading(Reading)

    /// Appends the answer's body; nothing when there is no score.
    func append(to body: inout ByteBuffer) {
        guard case .reading(let reading) = self else { return }
        body.append("{\"score\":")
        body.append(fixed: reading.score, places: 1)
        body.append(",\"band\":\"")
        body.append(reading.band.text)
        body.append("\",\"profile\":")
        if reading.profile == .undetermined {
            body.append("null")
        } else {
            body.append(UInt8(ascii: "\""))
            body.append(reading.profile.text)
            body.append(UInt8(ascii: "\""))
        }
        body.append(",\"confidence\":")
        body.append(fixed: reading.confidence, places: 2)
        body.append(",\"likelihood\":")
        body.append(fixed: reading.likelihood, places: 3)
        body.append(",\"updated\":")
        body.append(decimal: reading.updatedAt)
        body.append("}\n")
    }
}
