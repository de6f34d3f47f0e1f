import Bytes
import Settings
import Telemetry
import Wire

/// What a connection's protocol remembers between two arrivals of bytes: only what a chunked body or
/// an outstanding answer needs. A request that lies whole in one piece leaves nothing here.
struct HTTPSession: ~Copyable {
    /// Set while a chunked body arrives: the head's bytes, kept because the body is consumed.
    var chunked: ChunkedRequest?
    /// `100 Continue` was sent for the request that is arriving.
    var hasContinued = false
    /// What the answer that is outstanding must look like.
    private(set) var parked = Parked()
    /// The body of an answer that waits for the journal; holds memory only while there is one.
    var body = ByteBuffer(capacity: 0, limit: Limits.serverBodyBytesMaximum)

    /// The answer's frame, kept from the request until the journal has it.
    struct Parked: BitwiseCopyable {
        var keepsAlive = true
        var origin = ParkedOrigin.none
        var receivedAtNanoseconds: Int64 = 0
        var events: Int32 = 0
        /// Slices that the journal has not answered for.
        var outstanding: Int32 = 0
        /// What went wrong with one of the slices; the whole request is to be sent again then.
        var failure: Problem?
        /// What becomes of the device cookie with success.
        var cookie = DeviceCookie.untouched
        /// Number of the wait for a score, 0 for none.
        var scoreWait: UInt64 = 0
        /// How success is told.
        var success = Success.noContent
    }

    /// How a request that is durable is answered.
    enum Success: BitwiseCopyable {
        /// 204: the SDK wants nothing back.
        case noContent
        /// 200 with the session's `body`, of this type.
        case body(type: StaticString)
        /// An image of one pixel, in case of failure too.
        case image
    }

    /// The value for `Access-Control-Allow-Origin`, small enough to be kept per connection.
    enum ParkedOrigin: BitwiseCopyable {
        case none, any
        case listed(ShortText)
    }

    /// Requests of this connection so far.
    private var requests = 0

    /// Counts a request; how many there were with it.
    mutating func countRequest() -> Int {
        requests &+= 1
        return requests
    }

    /// A new request begins.
    mutating func park(keepsAlive: Bool) {
        parked = Parked()
        parked.keepsAlive = keepsAlive
        // A buffer is never smaller than 16 bytes; making one anew for each request would cost.
        if body.capacity > 16 { body = ByteBuffer(capacity: 0, limit: body.limit) }
    }

    /// Changes what the outstanding answer must look like.
    mutating func park(_ change: (inout Parked) -> Void) { change(&parked) }

    /// A new connection in this slot: nothing is remembered.
    mutating func forget() {
        chunked = nil
        hasContinued = false
        requests = 0
        park(keepsAlive: true)
    }
}

extension ByteView {
    /// Whether `pair` is one of the parameters of this query.
    func hasParameter(_ pair: StaticString) -> Bool {
        var start = 0
        while start < count {
            let end = firstIndex(of: UInt8(ascii: "&"), from: start) ?? count
            if self[start..<end].equals(pair) { return true }
            start = end + 1
        }
        return false
    }
}

/// A request whose chunked body is arriving.
final class ChunkedRequest {
    /// The head, as it came.
    var head: ByteBuffer
    /// The body so far.
    var body: ByteBuffer
    var decoder = ChunkedDecoder()
    /// What it takes.
    var memory: Int { head.capacity + body.capacity }

    init(head bytes: ByteView, bodyBytesMaximum: Int) {
        head = ByteBuffer(capacity: bytes.count, limit: Limits.headerBytesMaximum + 16)
        head.append(bytes)
        body = ByteBuffer(capacity: 4096, limit: bodyBytesMaximum)
    }
}
