import Bytes
import Settings
import Wire

/// How the listener frames what a connection sends: the same calls in the same order as
/// `Listener.received`, without an answer in between. Bytes may arrive in any pieces.
struct Framer: ~Copyable {
    /// One request, as far as its bytes have come.
    struct Request: Equatable {
        var head: [UInt8]
        var keepsAlive: Bool
        var body: [UInt8]
        var isComplete: Bool
        var end: Int
    }

    /// What the connection is doing when the bytes are used up.
    enum End: UInt8 {
        case idle, insideHead, insideBody, refused, closed
    }

    private(set) var requests: [Request] = []
    private(set) var end = End.idle
    private(set) var reason: FramingError?
    private var unread = ByteBuffer(capacity: 4096, limit: 4 << 20)
    private var position = 0
    private var chunks: ChunkedDecoder?
    private var body = ByteBuffer(capacity: 1024, limit: Limits.bodyBytesMaximum)

    mutating func receive(_ bytes: ByteView) {
        unread.append(bytes)
        while end != .refused, end != .closed, unread.count > 0 {
            let taken = chunks == nil ? readHead(unread.view) : readChunks(unread.view)
            guard taken > 0 else { return }
            position += taken
            unread.dropFirst(taken)
            if chunks == nil { finishRequest() }
        }
    }

    private mutating func finishRequest() {
        if let last = requests.indices.last, requests[last].isComplete {
            requests[last].end = position
            // RFC 9112 section 9.6: what follows a request that closes is not read.
            end = requests[last].keepsAlive ? .idle : .closed
        }
    }

    private mutating func refuse(_ error: FramingError) -> Int {
        (end, reason) = (.refused, error)
        if let last = requests.last, !last.isComplete { requests.removeLast() }
        return 0
    }

    /// The bytes taken; 0 when more are needed, or none will ever do.
    private mutating func readHead(_ bytes: ByteView) -> Int {
        switch RequestParser.parse(bytes) {
        case .incomplete:
            end = .insideHead
            return 0
        case .refused(let error): return refuse(error)
        case .complete(let head): return take(head, bytes)
        }
    }

    private mutating func take(_ head: RequestHead, _ bytes: ByteView) -> Int {
        var length = 0
        switch head.body {
        case .none: break
        case .length(let value): length = value
        case .chunked:
            chunks = ChunkedDecoder()
            body.reset()
            end = .insideBody
            requests.append(request(head, bytes, body: .empty, isComplete: false))
            return head.length
        }
        if length > Limits.bodyBytesMaximum { return refuse(.bodyTooLarge) }
        let isComplete = bytes.count >= head.length + length
        let content = bytes[head.length..<min(bytes.count, head.length + length)]
        if end == .insideBody, !requests.isEmpty { requests.removeLast() }
        requests.append(request(head, bytes, body: content, isComplete: isComplete))
        end = isComplete ? .idle : .insideBody
        return isComplete ? head.length + length : 0
    }

    private mutating func readChunks(_ bytes: ByteView) -> Int {
        var decoder = chunks ?? ChunkedDecoder()
        do throws(FramingError) {
            let taken = try decoder.decode(bytes, into: &body)
            chunks = decoder.isDone ? nil : decoder
            requests[requests.count - 1].body = Array(body.view.buffer)
            requests[requests.count - 1].isComplete = decoder.isDone
            return taken
        } catch { return refuse(error) }
    }

    private func request(
        _ head: RequestHead,
        _ bytes: ByteView,
        body: ByteView,
        isComplete: Bool
    ) -> Request {
        let described = describe(head, firstLine(bytes[0..<head.length]))
        return Request(
            head: described,
            keepsAlive: head.keepsAlive,
            body: Array(body.buffer),
            isComplete: isComplete,
            end: position + head.length + body.count
        )
    }

    /// The parser names four methods; any other is read from its line.
    private func firstLine(_ bytes: ByteView) -> ByteView {
        var start = 0
        while start < bytes.count, bytes[start] == 13 || bytes[start] == 10 { start += 1 }
        return bytes[start..<bytes.count]
    }

    /// `METHOD KIND PATH?QUERY`, where KIND is n, l or c.
    private func describe(_ head: RequestHead, _ line: ByteView) -> [UInt8] {
        let space = line.firstIndex(of: UInt8(ascii: " ")) ?? 0
        let method = head.method == .other ? line[0..<space] : name(head.method)
        let kind: StaticString =
            head.body == .none ? " n " : head.body == .chunked ? " c " : " l "
        return Array(method.buffer) + Array(ByteView(kind).buffer) + Array(head.path.buffer)
            + [UInt8(ascii: "?")] + Array(head.query.buffer)
    }

    private func name(_ method: Method) -> ByteView {
        switch method {
        case .get: return ByteView("GET")
        case .head: return ByteView("HEAD")
        case .post: return ByteView("POST")
        case .options: return ByteView("OPTIONS")
        case .other: return .empty
        }
    }
}
