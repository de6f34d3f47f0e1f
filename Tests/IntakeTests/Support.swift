import Bytes
import Foundation
import Loop
import Settings
import Synchronization
import TestSupport

@testable import Intake

/// Answers lines: `echo X` at once, `later X` when told to, `bye X` with a close, `big N` with N
/// bytes, `body N` with the length of the N bytes behind it, `keep N` as if the
/// handler itself kept N bytes of something unfinished. Owned by the server's thread.
final class LineHandler: ByteHandler {
    var table: ConnectionTable?
    /// Connections that wait for an answer, and the answer.
    var waiting: [(id: ConnectionID, text: String)] = []
    var ids: [ConnectionID] = []
    var closedCount = 0
    var refusals: [RequestRefusal] = []
    /// The slots of the connections that were answered, in order.
    var order: [UInt32] = []
    /// Lines that were looked at.
    var answered = 0

    func received(_ bytes: ByteView, from connection: ConnectionID) -> Handled {
        if !ids.contains(connection) { ids.append(connection) }
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            return Handled(consumed: 0, wanted: bytes.count + 1)
        }
        let words = bytes[0..<end].text.split(separator: " ", maxSplits: 1).map(String.init)
        if words.first == "body", let length = Int(words.last ?? "") {
            return body(length, bytes.count - end - 1, end + 1, connection)
        }
        if words.first == "keep", let kept = Int(words.last ?? "") {
            return Handled(consumed: end + 1, awaitsBody: true, kept: kept)
        }
        answered += 1
        order.append(connection.slot)
        let pauses = answer(words.first ?? "", words.last ?? "", connection)
        return Handled(consumed: end + 1, pauses: pauses)
    }

    private func body(
        _ length: Int,
        _ arrived: Int,
        _ head: Int,
        _ connection: ConnectionID
    ) -> Handled {
        guard arrived >= length else {
            return Handled(consumed: 0, wanted: head + length, awaitsBody: true)
        }
        answered += 1
        send("took \(length)\n", to: connection)
        return Handled(consumed: head + length)
    }

    private func answer(_ verb: String, _ rest: String, _ id: ConnectionID) -> Bool {
        switch verb {
        case "echo": send(rest + "\n", to: id)
        case "big": send(String(repeating: "b", count: Int(rest) ?? 0), to: id)
        case "later":
            waiting.append((id, rest + "\n"))
            return true
        case "bye":
            send(rest + "\n", to: id)
            table?.closeAfterSending(id)
            return true
        default: return false
        }
        return false
    }

    func send(_ text: String, to id: ConnectionID) {
        withView(text) { table?.send($0, to: id) }
    }

    /// Gives the oldest outstanding answer.
    func answerNext() {
        guard !waiting.isEmpty else { return }
        let (id, text) = waiting.removeFirst()
        send(text, to: id)
        table?.resume(id)
    }

    func closed(_ connection: ConnectionID) { closedCount += 1 }

    func gaveUp(_ connection: ConnectionID, because refusal: RequestRefusal) {
        refusals.append(refusal)
        send("\(refusal)\n", to: connection)
        table?.closeAfterSending(connection)
    }
}

/// A listener on a loop and a thread of its own, which runs the jobs it is given.
final class Server: Sendable {
    typealias Job = @Sendable (ConnectionTable, LineHandler, EventLoop) -> Void

    let port: UInt16
    private let jobs = Mutex<[Job]>([])
    private let thread = Mutex<EngineThread?>(nil)

    init(
        connectionsMaximum: Int = 64,
        heldBytesMaximum: Int = Limits.heldBytesDefault,
        address: String = "127.0.0.1",
        kind: PortKind = PortKind(),
        trustedProxies: [AddressRange] = [],
        context: TLSContext? = nil
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        let socket = try ListeningSocket.open(address: address, port: 0, backlog: 64)
        port = socket.port
        let started = EngineThread.start(name: "intake-test") { [self] in
            run(socket, kind) { loop, handler in
                let table = ConnectionTable(
                    loop: loop,
                    handler: handler,
                    connectionsMaximum: connectionsMaximum,
                    heldBytesMaximum: heldBytesMaximum,
                    trustedProxies: trustedProxies
                )
                if let context { table.install(context) }
                return table
            }
        }
        thread.withLock { $0 = started }
    }

    private func run(
        _ socket: ListeningSocket,
        _ kind: PortKind,
        _ makeTable: (EventLoop, LineHandler) -> ConnectionTable
    ) {
        let loop = EventLoop()
        let handler = LineHandler()
        let table = makeTable(loop, handler)
        handler.table = table
        let acceptor = Acceptor(socket, into: table, backlog: 64, kind: kind)
        let timer = loop.every(milliseconds: 1) { [self] in
            let due = jobs.withLock { jobs in
                defer { jobs.removeAll() }
                return jobs
            }
            for job in due { job(table, handler, loop) }
        }
        loop.run()
        timer.close()
        acceptor.close()
        table.closeAll()
        loop.close()
        handler.table = nil
    }

    /// What `body` gives on the server's thread.
    func ask<Value: Sendable>(
        _ body: @escaping @Sendable (ConnectionTable, LineHandler, EventLoop) -> Value
    ) -> Value {
        let answered = DispatchSemaphore(value: 0)
        let holder = Holder<Value>()
        jobs.withLock {
            $0.append { table, handler, loop in
                holder.value.withLock { $0 = body(table, handler, loop) }
                answered.signal()
            }
        }
        answered.wait()
        guard let value = holder.value.withLock({ $0 }) else { fatalError("a job gave nothing") }
        return value
    }

    /// Waits until `condition` holds on the server's thread; false after ten seconds.
    func wait(
        for condition: @escaping @Sendable (ConnectionTable, LineHandler) -> Bool
    ) -> Bool {
        for _ in 0..<5_000 {
            if ask({ table, handler, _ in condition(table, handler) }) { return true }
            usleep(2_000)
        }
        return false
    }

    /// Ends the thread; every connection is closed.
    func stop() {
        jobs.withLock { $0.append { _, _, loop in loop.stop() } }
        thread.withLock { $0.take() }?.join()
    }

    private final class Holder<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}

/// One client with a blocking socket that gives up after ten seconds.
final class Client {
    private var descriptor: Int32

    init(port: UInt16, receiveBytes: Int32 = 0) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var seconds = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &seconds,
            socklen_t(MemoryLayout<timeval>.size)
        )
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var size = receiveBytes
        if size > 0 { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Says that nothing more is sent, and goes on reading.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends all of `text`; false when the connection is broken.
    @discardableResult
    func send(_ text: String) -> Bool { send(bytes: Array(text.utf8)) }

    /// Sends all of `bytes`; false when the connection is broken.
    @discardableResult
    func send(bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor,
                    $0.baseAddress.map { $0 + sent },
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// What arrives until there are `count` bytes, the end, or an error.
    func receive(_ count: Int) -> String {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < count {
            let got = recv(descriptor, &part, min(part.count, count - bytes.count), 0)
            if got <= 0 { break }
            bytes += part[0..<got]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What the end of the connection looks like from here.
    enum End: Equatable {
        case closed, reset, open, bytes
    }

    /// Waits for the end.
    func end() -> End {
        var byte: UInt8 = 0
        let got = recv(descriptor, &byte, 1, 0)
        if got > 0 { return .bytes }
        if got == 0 { return .closed }
        return errno == ECONNRESET ? .reset : .open
    }

    /// Whether nothing has arrived and nothing has ended within `milliseconds`.
    func isSilent(milliseconds: Int32 = 60) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, milliseconds) == 0
    }

    /// Ends the connection the hard way.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &option,
            socklen_t(MemoryLayout<linger>.size)
        )
        close(descriptor)
        descriptor = -1
    }
}
