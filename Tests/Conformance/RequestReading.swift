import Bytes
import Testing
import Wire

/// What a connection makes of bytes: the requests with their bodies, and why it was closed.
struct RequestReading: Equatable, CustomStringConvertible {
    var requests: [[String]] = []
    var isRefused = false
    var reason: FramingError?

    var description: String { reason.map { "\($0)" } ?? "nothing" }

    /// Which of two faults is named may depend on where the bytes were cut.
    static func == (left: RequestReading, right: RequestReading) -> Bool {
        left.requests == right.requests && left.isRefused == right.isRefused
    }
}

/// Reads as a connection does, the bytes arriving in two parts.
func read(_ input: [UInt8], cut: Int = 0) -> RequestReading {
    var connection = TestConnection()
    connection.receive(Array(input[..<cut]))
    connection.receive(Array(input[cut...]))
    return connection.reading
}

/// Cut anywhere, the same requests are read, or the same connection is refused. The number of cuts.
func expectEveryCutTheSame(_ streams: [[UInt8]]) -> Int {
    var cuts = 0
    for stream in streams {
        let whole = read(stream)
        for cut in 0...stream.count {
            let text = String(decoding: stream, as: UTF8.self).debugDescription
            #expect(read(stream, cut: cut) == whole, "cut at \(cut): \(text)")
            cuts += 1
        }
    }
    return cuts
}

/// How many of the cases went as they should.
struct Score: CustomStringConvertible {
    private var good = 0
    private var all = 0

    var description: String { "\(good) of \(all)" }

    mutating func count(_ isGood: Bool) {
        good += isGood ? 1 : 0
        all += 1
    }
}

private struct TestConnection {
    var reading = RequestReading()
    private var unread: [UInt8] = []
    private var decoder: ChunkedDecoder?
    private var body: [UInt8] = []
    private var isClosed = false

    mutating func receive(_ bytes: [UInt8]) {
        unread += bytes
        while !reading.isRefused, !unread.isEmpty {
            if isClosed {
                reading.isRefused = true
                return
            }
            let isMoving = decoder == nil ? readHead() : readChunks()
            if !isMoving { return }
        }
    }

    private mutating func refuse(_ reason: FramingError) -> Bool {
        (reading.isRefused, reading.reason) = (true, reason)
        return false
    }

    private mutating func readHead() -> Bool {
        let input = unread
        return input.withUnsafeBytes { buffer in
            switch RequestParser.parse(ByteView(buffer)) {
            case .incomplete: return false
            case .refused(let reason): return refuse(reason)
            case .complete(let head): return take(head)
            }
        }
    }

    private mutating func take(_ head: RequestHead) -> Bool {
        var length = 0
        switch head.body {
        case .none: break
        case .length(let wanted): length = wanted
        case .chunked: decoder = ChunkedDecoder()
        }
        guard unread.count >= head.length + length else {
            decoder = nil
            return false
        }
        let line = ["\(head.method)", head.path.text, head.query.text, "\(head.keepsAlive)"]
        let content = unread[head.length..<head.length + length]
        reading.requests.append(line + [String(decoding: content, as: UTF8.self)])
        unread.removeFirst(head.length + length)
        // RFC 9112 section 9.6: what follows a request that closes is not read.
        if !head.keepsAlive, decoder == nil { isClosed = true }
        return true
    }

    private mutating func readChunks() -> Bool {
        var input = ByteBuffer(capacity: unread.count)
        unread.withUnsafeBytes { input.append(ByteView($0)) }
        var buffer = ByteBuffer(capacity: 1024, limit: 1 << 20)
        do throws(FramingError) {
            unread.removeFirst(try decoder?.decode(input.view, into: &buffer) ?? 0)
        } catch { return refuse(error) }
        body += Array(buffer.view.buffer)
        guard decoder?.isDone == true else { return false }
        reading.requests.append(["chunks", String(decoding: body, as: UTF8.self)])
        (decoder, body) = (nil, [])
        return true
    }
}

/// llhttp does not ask for Host, we do (RFC 9112 section 3.2): it is put behind the first line.
func withHost(_ input: [UInt8]) -> [UInt8] {
    let text = String(decoding: input, as: UTF8.self)
    guard !text.lowercased().contains("\r\nhost:"), text.contains("HTTP/1.1"),
        let feed = input.dropFirst(2).firstIndex(of: 10)
    else { return input }
    return Array(input[...feed]) + Array("Host: a\r\n".utf8) + Array(input[(feed + 1)...])
}
