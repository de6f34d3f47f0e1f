public import Bytes

/// Why a request's framing was refused. Every case closes the connection (RFC 9112 section 9.6:
/// after an error nobody can say where the next request begins).
public enum FramingError: UInt8, Error, CaseIterable, Sendable {
    case badRequestLine, badMethod, badTarget, unsupportedVersion
    case badLineEnding, badFieldName, badFieldValue, obsoleteFold, headerTooLarge, lineTooLong
    case tooManyFields, missingHost, repeatedHost, badContentLength, repeatedContentLength
    case lengthAndEncoding, unsupportedTransferEncoding, unsupportedExpectation, bodyTooLarge
    case badChunk, encodingInOldVersion
}

/// The methods that the engine knows. RFC 9110 section 9.
public enum Method: UInt8, Sendable {
    case get, head, post, options, other
}

/// How the bytes behind the head are framed. RFC 9112 section 6.
public enum BodyFraming: Equatable {
    case none
    case length(Int)
    case chunked
}

/// How a body is compressed. RFC 9110 section 8.4.
public enum ContentCoding: UInt8, Sendable {
    case identity, gzip, deflate, other
}

/// A request's head. Its views point into the bytes it was parsed from.
public struct RequestHead {
    /// The method.
    public var method = Method.other
    /// Path of the target, before any `?`.
    public var path = ByteView.empty
    /// Query of the target, after the `?`.
    public var query = ByteView.empty
    /// HTTP/1.0 instead of 1.1.
    public var isOldVersion = false
    /// Whether the connection may serve another request.
    public var keepsAlive = true
    /// Whether the client waits for `100 Continue`.
    public var expectsContinue = false
    /// Framing of the body.
    public var body = BodyFraming.none
    /// Compression of the body.
    public var coding = ContentCoding.identity
    /// `Host`, empty when absent.
    public var host = ByteView.empty
    /// `X-Forwarded-Host`: what a proxy says that the browser asked for; true only of one of ours.
    public var forwardedHost = ByteView.empty
    /// `Cookie`, empty when absent. Holds ids of visitors and others' secrets: never to be logged.
    public var cookies = ByteView.empty
    /// `Origin`, empty when absent.
    public var origin = ByteView.empty
    /// `User-Agent`, empty when absent.
    public var userAgent = ByteView.empty
    /// `Accept-Encoding`, empty when absent.
    public var acceptEncoding = ByteView.empty
    /// `If-None-Match`, empty when absent.
    public var ifNoneMatch = ByteView.empty
    /// `Access-Control-Request-Headers`, empty when absent.
    public var requestedHeaders = ByteView.empty
    /// `Accept-Language`, empty when absent.
    public var acceptLanguage = ByteView.empty
    /// `Authorization`, empty when absent. Holds a key: never to be logged.
    public var authorization = ByteView.empty
    /// `Content-Type`, empty when absent.
    public var contentType = ByteView.empty
    /// `Sec-CH-UA`: the browser's brands, empty when absent.
    public var brands = ByteView.empty
    /// `Sec-CH-UA-Mobile`, empty when absent.
    public var mobileHint = ByteView.empty
    /// `Sec-CH-UA-Platform`, empty when absent.
    public var platformHint = ByteView.empty
    /// `Sec-Fetch-Mode`, empty when absent.
    public var fetchMode = ByteView.empty
    /// The lines of `X-Forwarded-For`; true only behind a trusted proxy.
    public var forwardedFor = FieldLines()
    /// `Referer`, empty when absent.
    public var referrer = ByteView.empty
    /// `X-Heliograph-Debug: 1`: the sender asks for a verdict per event.
    public var wantsVerdicts = false
    /// `X-Heliograph-Received-At`: when a refused event came first, and the token that allows to say
    /// so. Never to be logged.
    public var receivedAt = ByteView.empty
    /// `Sec-GPC: 1`: global privacy control.
    public var hasPrivacyControl = false
    /// `DNT: 1`: do not track.
    public var asksNotToTrack = false
    /// `Sec-Purpose` or `Purpose` says prefetch or prerender.
    public var isPrefetch = false
    /// Bytes of the head, the empty line included.
    public var length = 0

    init() {}

    /// The value of the first cookie called `name` (RFC 6265 section 4.2.1); nil when there is none.
    public func cookie(named name: StaticString) -> ByteView? {
        var start = 0
        while start < cookies.count {
            let end = cookies.firstIndex(of: UInt8(ascii: ";"), from: start) ?? cookies.count
            let pair = FieldGrammar.trimmed(cookies[start..<end])
            if let equals = pair.firstIndex(of: UInt8(ascii: "=")), pair[0..<equals].equals(name) {
                return pair[equals &+ 1..<pair.count]
            }
            start = end &+ 1
        }
        return nil
    }
}

/// The values of a field that came in several lines, which are one list (RFC 9110 section 5.3). Keeps
/// the last few: those are of the proxies nearest to us, and only from there on is a list true.
public struct FieldLines: RandomAccessCollection {
    private static let capacity = 4
    private var lines = InlineArray<4, ByteView>(repeating: .empty)
    private var length = 0

    init() {}

    /// The first line's index.
    public var startIndex: Int { 0 }
    /// One past the last line's index.
    public var endIndex: Int { length }
    /// The value of a line.
    public subscript(position: Int) -> ByteView { lines[position] }

    mutating func append(_ value: ByteView) {
        if length == Self.capacity {
            for index in 1..<Self.capacity { lines[index - 1] = lines[index] }
            length -= 1
        }
        lines[length] = value
        length += 1
    }
}
