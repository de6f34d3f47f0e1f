/// What a server answered.
public struct Response: Equatable, BitwiseCopyable, Sendable {
    /// 204 and so on.
    public var status: Int
    /// Bytes of head and body together.
    public var length: Int
    /// Seconds of a `Retry-After` header, else 0.
    public var retryAfterSeconds: Int
    /// The server will close the connection.
    public var closes: Bool

    /// An answer from its parts.
    public init(status: Int, length: Int, retryAfterSeconds: Int, closes: Bool) {
        self.status = status
        self.length = length
        self.retryAfterSeconds = retryAfterSeconds
        self.closes = closes
    }
}

/// Reads responses from a connection's bytes. Knows what the engine and nginx send, not all of
/// HTTP: a status line, headers, and a body of a stated length.
public enum ResponseScanner {
    /// What the bytes so far are.
    public enum Outcome: Equatable {
        case complete(Response)
        case unfinished
        case malformed
    }

    private static let shortestStatusLine = 12

    /// Looks for one response at the start of `bytes`.
    public static func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        guard bytes.count >= shortestStatusLine else { return .unfinished }
        guard bytes[0] == UInt8(ascii: "H"), bytes[8] == UInt8(ascii: " "),
            let status = digits(bytes, 9..<12)
        else { return .malformed }
        var response = Response(status: status, length: 0, retryAfterSeconds: 0, closes: false)
        var bodyLength = 0
        var line = lineEnd(bytes, from: 0)
        while let end = line {
            let start = end &+ 2
            guard let next = lineEnd(bytes, from: start) else { return .unfinished }
            if next == start {
                response.length = start &+ 2 &+ bodyLength
                return response.length <= bytes.count ? .complete(response) : .unfinished
            }
            readHeader(bytes, start..<next, into: &response, &bodyLength)
            line = next
        }
        return .unfinished
    }

    private static func readHeader(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ line: Range<Int>,
        into response: inout Response,
        _ bodyLength: inout Int
    ) {
        switch bytes[line.lowerBound] | 0x20 {
        case UInt8(ascii: "c"):
            if let value = value(bytes, line, of: "content-length:") {
                bodyLength = digits(bytes, value) ?? 0
            } else if let value = value(bytes, line, of: "connection:") {
                response.closes = bytes[value.lowerBound] | 0x20 == UInt8(ascii: "c")
            }
        case UInt8(ascii: "r"):
            if let value = value(bytes, line, of: "retry-after:") {
                response.retryAfterSeconds = digits(bytes, value) ?? 0
            }
        default: break
        }
    }

    /// The range of a header's value when the line's name is `name`, which is in lower case.
    private static func value(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ line: Range<Int>,
        of name: StaticString
    ) -> Range<Int>? {
        let count = name.utf8CodeUnitCount
        guard line.count > count else { return nil }
        for index in 0..<count
        where bytes[line.lowerBound &+ index] | 0x20 != name.utf8Start[index] | 0x20 {
            return nil
        }
        var start = line.lowerBound &+ count
        while start < line.upperBound, bytes[start] == UInt8(ascii: " ") { start &+= 1 }
        return start < line.upperBound ? start..<line.upperBound : nil
    }

    private static func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        while index &+ 1 < bytes.count {
            if bytes[index] == 0x0d, bytes[index &+ 1] == 0x0a { return index }
            index &+= 1
        }
        return nil
    }

    private static func digits(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        var value = 0
        for index in range.prefix(9) {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }
}
