import CCurl
import CLibuv
import Glibc
public import Loop
import Units

/// How a request travels, and whom it may reach. What would weaken it is no option: certificates are
/// always checked, redirects never followed, and no proxy is taken from the environment.
public struct TransportOptions: Sendable {
    /// How long a connection, its handshake included, may take.
    public var connectMilliseconds: Int
    /// How long everything together may take.
    public var totalMilliseconds: Int
    /// The longest answer that is read.
    public var answerBytesMaximum: Int
    /// Certificates that are trusted instead of the system's.
    public var authoritiesFile: String?
    /// Whether plain HTTP will do: only where the settings name a loopback address.
    public var allowsPlain: Bool
    /// Whether a connection to this address, 4 or 16 bytes, may be made. Asked for the address that is
    /// connected to, so a name cannot lead elsewhere between check and use.
    public var allows: @Sendable ([UInt8]) -> Bool

    /// Options from their parts.
    public init(
        connectMilliseconds: Int,
        totalMilliseconds: Int,
        answerBytesMaximum: Int,
        authoritiesFile: String? = nil,
        allowsPlain: Bool = false,
        allows: @escaping @Sendable ([UInt8]) -> Bool
    ) {
        self.connectMilliseconds = connectMilliseconds
        self.totalMilliseconds = totalMilliseconds
        self.answerBytesMaximum = answerBytesMaximum
        self.authoritiesFile = authoritiesFile
        self.allowsPlain = allowsPlain
        self.allows = allows
    }
}

/// Sends requests over HTTP/2 or HTTP/1.1 with TLS, and reads their answers, on a libuv loop.
///
/// libcurl says which sockets it waits for and when it wants to be called; the loop does the waiting.
/// Owned by the loop's thread. Answers are told on it, never from within `send`.
public final class Transport {
    private let loop: EventLoop
    private let multi: OpaqueCurl
    private let timer: LoopTimer
    /// What is on its way, by the address of its handle.
    private var transfers: [OpaqueCurl: Transfer] = [:]

    /// A transport that has sent nothing yet.
    public init(loop: EventLoop) {
        self.loop = loop
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        guard let made = curl_multi_init() else {
            invariantFailed("curl_multi_init failed: out of memory", #fileID, #line)
        }
        multi = made
        let box = WeakTransport()
        timer = LoopTimer(loop: loop) { box.transport?.timeIsUp() }
        box.transport = self
        let context = Unmanaged.passUnretained(self).toOpaque()
        hg_curl_multi_on_socket(multi, socketChanged, context)
        hg_curl_multi_on_timer(multi, timerChanged, context)
        _ = hg_curl_multi_set_number(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX)
    }

    /// How many requests have no answer yet.
    public var inFlight: Int { transfers.count }

    /// Sends a request and tells `whenAnswered` what came of it, once.
    public func send(
        _ request: OutgoingRequest,
        _ options: TransportOptions,
        whenAnswered: @escaping (Answer) -> Void
    ) {
        let transfer = Transfer(request, options, whenAnswered)
        transfers[transfer.handle] = transfer
        invariant(
            curl_multi_add_handle(multi, transfer.handle) == CURLM_OK,
            "curl refused a new handle"
        )
    }

    /// Gives up what is on its way: nobody is told of its end. Nothing may be sent after this.
    public func close() {
        for (handle, transfer) in transfers {
            curl_multi_remove_handle(multi, handle)
            transfer.free()
        }
        transfers.removeAll()
        curl_multi_cleanup(multi)
        timer.close()
    }

    // MARK: - What libcurl asks of the loop

    fileprivate func watch(
        _ socket: curl_socket_t,
        _ what: Int32,
        _ known: UnsafeMutableRawPointer?
    ) {
        if what == CURL_POLL_REMOVE {
            known.map { SocketWatch.take($0).close() }
            curl_multi_assign(multi, socket, nil)
            return
        }
        let watch = known.map(SocketWatch.borrow) ?? SocketWatch.start(on: loop, socket, self)
        if known == nil { curl_multi_assign(multi, socket, watch.retained) }
        watch.wait(for: what)
    }

    fileprivate func callAfter(milliseconds: Int) {
        if milliseconds < 0 { return timer.stop() }
        // Never at once: libcurl must not be called from its own callback.
        timer.start(afterMilliseconds: UInt64(max(1, milliseconds)))
    }

    private func timeIsUp() { act(on: CURL_SOCKET_TIMEOUT, 0) }

    fileprivate func act(on socket: curl_socket_t, _ events: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, events, &running)
        tellAnswers()
    }

    private func tellAnswers() {
        var handle: OpaqueCurl?
        var result = CURLE_OK
        while hg_curl_next_finished(multi, &handle, &result) != 0 {
            guard let ended = handle, let transfer = transfers.removeValue(forKey: ended) else {
                continue
            }
            let answer = transfer.answer(result)
            curl_multi_remove_handle(multi, ended)
            transfer.free()
            transfer.whenAnswered(answer)
        }
    }
}

/// The timer's way back to its transport, which outlives it.
private final class WeakTransport {
    weak var transport: Transport?
}

/// libcurl's handles have no type of their own in C.
typealias OpaqueCurl = UnsafeMutableRawPointer

private func socketChanged(
    _ handle: UnsafeMutableRawPointer?,
    _ socket: curl_socket_t,
    _ what: Int32,
    _ context: UnsafeMutableRawPointer?,
    _ known: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<Transport>.fromOpaque(context).takeUnretainedValue().watch(socket, what, known)
    return 0
}

private func timerChanged(
    _ multi: UnsafeMutableRawPointer?,
    _ milliseconds: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<Transport>.fromOpaque(context).takeUnretainedValue()
        .callAfter(milliseconds: milliseconds)
    return 0
}

/// Waits for a socket of libcurl's. libcurl keeps it until it lets the socket go; its memory goes in
/// libuv's close callback.
private final class SocketWatch {
    private let handle: UnsafeMutablePointer<uv_poll_t>
    private let socket: curl_socket_t
    private unowned let transport: Transport

    static func start(
        on loop: EventLoop,
        _ socket: curl_socket_t,
        _ transport: Transport
    ) -> SocketWatch {
        SocketWatch(loop, socket, transport)
    }

    /// The watch behind libcurl's pointer, which goes on holding it.
    static func borrow(_ pointer: UnsafeMutableRawPointer) -> SocketWatch {
        Unmanaged<SocketWatch>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The watch behind libcurl's pointer, which holds it no longer.
    static func take(_ pointer: UnsafeMutableRawPointer) -> SocketWatch {
        Unmanaged<SocketWatch>.fromOpaque(pointer).takeRetainedValue()
    }

    private init(_ loop: EventLoop, _ socket: curl_socket_t, _ transport: Transport) {
        self.socket = socket
        self.transport = transport
        handle = .allocate(capacity: 1)
        invariant(uv_poll_init_socket(loop.handle, handle, socket) == 0, "uv_poll_init failed")
        handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    /// Held by libcurl until `take`.
    var retained: UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    func wait(for what: Int32) {
        var events: Int32 = 0
        if what != CURL_POLL_OUT { events |= Int32(UV_READABLE.rawValue) }
        if what != CURL_POLL_IN { events |= Int32(UV_WRITABLE.rawValue) }
        _ = uv_poll_start(handle, events) { handle, status, events in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<SocketWatch>.fromOpaque(data).takeUnretainedValue().ready(status, events)
        }
    }

    private func ready(_ status: Int32, _ events: Int32) {
        var flags: Int32 = status < 0 ? CURL_CSELECT_ERR : 0
        if events & Int32(UV_READABLE.rawValue) != 0 { flags |= CURL_CSELECT_IN }
        if events & Int32(UV_WRITABLE.rawValue) != 0 { flags |= CURL_CSELECT_OUT }
        transport.act(on: socket, flags)
    }

    func close() {
        _ = uv_poll_stop(handle)
        handle.pointee.data = nil
        handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { generic in
            uv_close(generic) { closed in closed?.deallocate() }
        }
    }
}
