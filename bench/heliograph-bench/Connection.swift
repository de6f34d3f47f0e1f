import BenchLoad
import CBench
import Glibc

/// One request from the moment it was due to the moment its fate is known.
struct Flight: BitwiseCopyable {
    var recipe: Recipe
    /// Latency counts from here: when the schedule said to send, not when it was possible.
    var countsFromNanoseconds: Int64
    /// A batch that was acknowledged before, sent again.
    var isRepeat: Bool
    /// Its way into Redis is being watched.
    var isWatched: Bool
    /// A connection broke while it was in flight: it may have been taken although no answer came.
    var mayBeTaken = false
}

/// One keep-alive connection: bytes to send, bytes received, and the requests in flight on it in
/// the order of their answers. Owned by the load thread, reached through a pointer.
struct Connection: ~Copyable {
    var descriptor: Int32 = -1
    /// Known to epoll under the present descriptor.
    var isWatched = false
    /// Epoll was asked to report room to write.
    var wantsRoom = false
    /// On the list of connections with something to flush.
    var isDirty = false
    /// Neither sends nor connects before this time; 0 means that it may.
    var resumesAtNanoseconds: Int64 = 0

    let output: UnsafeMutablePointer<UInt8>
    var outputStart = 0
    var outputEnd = 0

    let input: UnsafeMutablePointer<UInt8>
    var inputCount = 0

    private let flights: UnsafeMutablePointer<Flight>
    private var firstFlight = 0
    private(set) var flightCount = 0
    /// Requests to send again after a pause or a lost connection.
    private(set) var owed: [Flight] = []

    /// What encrypts this connection; nil on a plain one.
    private var tls: UnsafeMutableRawPointer?

    private let depth: Int
    private let outputCapacity: Int

    /// Answers are short; a longer one than this is an error.
    static let inputCapacity = 16_384

    init(depth: Int, longestRequest: Int) {
        self.depth = depth
        outputCapacity = depth * longestRequest
        output = .allocate(capacity: outputCapacity)
        input = .allocate(capacity: Self.inputCapacity)
        flights = .allocate(capacity: depth)
        owed.reserveCapacity(depth)
    }

    deinit {
        if let tls { cbench_tls_close(tls) }
        if descriptor >= 0 { close(descriptor) }
        output.deallocate()
        input.deallocate()
        flights.deallocate()
    }

    /// Puts a request behind those in flight. There is always room: slots are counted outside.
    mutating func push(_ flight: Flight) {
        var place = firstFlight &+ flightCount
        if place >= depth { place &-= depth }
        flights[place] = flight
        flightCount &+= 1
    }

    /// Takes the request that the next answer belongs to; nil when nothing was asked.
    mutating func pop() -> Flight? {
        guard flightCount > 0 else { return nil }
        let flight = flights[firstFlight]
        firstFlight = firstFlight &+ 1 < depth ? firstFlight &+ 1 : 0
        flightCount &-= 1
        return flight
    }

    /// Remembers to send a request again.
    mutating func owe(_ flight: Flight) { owed.append(flight) }

    /// Hands over what is to be sent again.
    mutating func takeOwed() -> [Flight] {
        defer { owed.removeAll(keepingCapacity: true) }
        return owed
    }

    /// Opens the socket, with TLS when there is a client for it. False when nobody answers.
    mutating func connect(_ target: Target, _ client: TLSClient?) -> Bool {
        descriptor = target.connect(blocking: client != nil)
        guard descriptor >= 0, let client else { return descriptor >= 0 }
        tls = client.open(descriptor)
        if tls == nil { closeSocket() } else { Target.unblock(descriptor) }
        return tls != nil
    }

    /// Nothing is in flight, to be sent or sent again.
    var isIdle: Bool { flightCount == 0 && owed.isEmpty && outputStart == outputEnd }

    private mutating func closeSocket() {
        if let tls { cbench_tls_close(tls) }
        tls = nil
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Forgets the socket and turns everything in flight into something owed.
    mutating func abandonSocket() {
        closeSocket()
        isWatched = false
        wantsRoom = false
        outputStart = 0
        outputEnd = 0
        inputCount = 0
        while var flight = pop() {
            flight.mayBeTaken = true
            owed.append(flight)
        }
    }

    /// Drops `count` bytes from the front of the input.
    mutating func consumeInput(_ count: Int) {
        inputCount &-= count
        if inputCount > 0 { memmove(input, input + count, inputCount) }
    }

    /// Where the next request of at most `longest` bytes can be written.
    mutating func room(for longest: Int) -> UnsafeMutablePointer<UInt8> {
        if outputEnd &+ longest > outputCapacity, outputStart > 0 {
            memmove(output, output + outputStart, outputEnd &- outputStart)
            outputEnd &-= outputStart
            outputStart = 0
        }
        return output + outputEnd
    }

    /// What a write achieved.
    enum Flush { case done, full, lost }

    /// Writes what it can.
    mutating func flush() -> Flush {
        while outputStart < outputEnd {
            let sent = put(output + outputStart, outputEnd - outputStart)
            if sent >= 0 {
                outputStart += sent
            } else if errno == EAGAIN {
                return .full
            } else if errno != EINTR {
                return .lost
            }
        }
        outputStart = 0
        outputEnd = 0
        return .done
    }

    private func put(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        if let tls { return cbench_tls_write(tls, bytes, count) }
        return send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
    }

    private func take(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        if let tls { return cbench_tls_read(tls, bytes, count) }
        return recv(descriptor, bytes, count, 0)
    }

    /// What a read achieved.
    enum Receive { case some, nothing, lost }

    /// Reads what has arrived, as far as there is room.
    mutating func receive() -> Receive {
        let count = take(input + inputCount, Self.inputCapacity - inputCount)
        if count > 0 {
            inputCount += count
            return .some
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .lost
    }
}

/// A loopback address to send to.
struct Target: Sendable {
    let host: String
    let port: UInt16

    /// Opens a connection; blocks for the handshake, which on loopback takes no time. Returns -1
    /// when nobody listens.
    func connect(blocking: Bool) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { return -1 }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            return -1
        }
        configure(descriptor, blocking: blocking)
        return descriptor
    }

    private func configure(_ descriptor: Int32, blocking: Bool) {
        var one: Int32 = 1
        setsockopt(
            descriptor,
            Int32(IPPROTO_TCP),
            TCP_NODELAY,
            &one,
            socklen_t(MemoryLayout<Int32>.size)
        )
        if !blocking { Self.unblock(descriptor) }
    }

    /// From here on reads and writes return at once.
    static func unblock(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
}
