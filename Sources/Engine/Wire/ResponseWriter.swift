public import Bytes
import Glibc
import Settings
public import Telemetry

/// Writes responses into one reused buffer. Owned by one listener.
public struct ResponseWriter: ~Copyable {
    /// The response last written.
    public private(set) var buffer = ByteBuffer(capacity: 4096, limit: 16 << 20)
    private var date = ByteBuffer(capacity: 64, limit: 64)
    /// A place may be a path that the client made up; the rest of it helps nobody.
    private static let placeCharactersMaximum = 200

    /// A writer whose clock stands at `epochMilliseconds`.
    public init(epochMilliseconds: Int64) { setDate(epochMilliseconds: epochMilliseconds) }

    /// The bytes of the response last written; valid until the next.
    public var view: ByteView { buffer.view }

    /// Sets the `Date` of what is written from now on (RFC 9110 section 6.6.1). Call once a second.
    public mutating func setDate(epochMilliseconds: Int64) {
        var seconds = time_t(epochMilliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        date.reset()
        guard let room = date.spare(atLeast: 48) else { return }
        // RFC 9110 section 5.6.7: IMF-fixdate, whose names are English whatever the locale is.
        let length = strftime(
            room.bindMemory(to: CChar.self).baseAddress,
            48,
            "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
            &parts
        )
        date.commit(length)
    }

    /// What surrounds the body of every response.
    public struct Frame {
        /// Whether the connection stays open.
        public var keepsAlive: Bool
        /// Value for `Access-Control-Allow-Origin`; empty to send none.
        public var allowedOrigin: ByteView
        /// Whether the body is left out, because the request was HEAD.
        public var isHead: Bool
        /// Further header lines, each ending in CRLF.
        public var lines = ByteView.empty

        /// A frame from its parts.
        public init(keepsAlive: Bool, allowedOrigin: ByteView = .empty, isHead: Bool = false) {
            self.keepsAlive = keepsAlive
            self.allowedOrigin = allowedOrigin
            self.isHead = isHead
        }
    }

    /// `204 No Content`: the acknowledgement. Carries no length (RFC 9110 section 8.6).
    public mutating func noContent(_ frame: Frame, position: (segment: UInt64, end: UInt64)? = nil)
    {
        buffer.reset()
        buffer.append("HTTP/1.1 204 No Content\r\n")
        appendCommon(frame)
        if let position {
            buffer.append("X-Heliograph-Position: ")
            buffer.append(decimal: Int64(position.segment))
            buffer.append(UInt8(ascii: "-"))
            buffer.append(decimal: Int64(position.end))
            buffer.append("\r\n")
        }
        buffer.append("\r\n")
    }

    /// Tells a client that waits for it to send the body (RFC 9110 section 15.2.1).
    public mutating func goOn() {
        buffer.reset()
        buffer.append("HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// The answer to a CORS preflight. `anonymousid` is what RudderStack's script adds.
    public mutating func preflight(_ frame: Frame) {
        buffer.reset()
        buffer.append("HTTP/1.1 204 No Content\r\n")
        appendCommon(frame)
        buffer.append(
            """
            Access-Control-Allow-Methods: POST\r\n\
            Access-Control-Allow-Headers: authorization, content-type, content-encoding, \
            anonymousid, x-heliograph-debug\r\n\
            Access-Control-Max-Age: 86400\r\n\r\n
            """
        )
    }

    /// A problem as JSON (RFC 9457) with a code, a reason and the place. `allowed` are the methods
    /// that a 405 names (RFC 9110 section 15.5.6); `retryAfterSeconds` what a temporary one asks for
    /// when it is not the same for everybody.
    public mutating func problem(
        _ problem: Problem,
        at place: String,
        allowed: StaticString = "POST, OPTIONS",
        retryAfterSeconds: Int? = nil,
        _ frame: Frame
    ) {
        let row = problem.row
        var body = ByteBuffer(capacity: 512, limit: 4096)
        body.append("{\"type\":\"about:blank\",\"status\":")
        body.append(decimal: Int64(row.status))
        body.append(",\"code\":\"")
        body.append(row.code)
        body.append("\",\"reason\":")
        JSONText.appendQuoted(ByteView(row.reason), into: &body)
        // RudderStack's client fails on an error in JSON that lacks `code` or `message`.
        body.append(",\"message\":")
        JSONText.appendQuoted(ByteView(row.reason), into: &body)
        body.append(",\"where\":")
        var quoted = ByteBuffer(capacity: 128, limit: 1024)
        quoted.append(text: String(place.unicodeScalars.prefix(Self.placeCharactersMaximum)))
        JSONText.appendQuoted(quoted.view, into: &body)
        body.append("}\n")
        begin(status: row.status)
        if problem.isTemporary { appendRetryAfter(retryAfterSeconds ?? Limits.retryAfterSeconds) }
        // RFC 9110 section 11.6.1: a 401 names a scheme.
        if row.status == 401 { buffer.append("WWW-Authenticate: Basic realm=\"heliograph\"\r\n") }
        if row.status == 405 {
            buffer.append("Allow: ")
            buffer.append(allowed)
            buffer.append("\r\n")
        }
        appendCommon(frame)
        finish(type: "application/problem+json", body.view, frame)
    }

    /// A whole answer with a body; `fields` are further header lines, each ending in CRLF.
    public mutating func content(
        status: Int = 200,
        type: StaticString,
        fields: ByteView = .empty,
        body: ByteView,
        _ frame: Frame
    ) {
        begin(status: status)
        buffer.append(fields)
        appendCommon(frame)
        finish(type: type, body, frame)
    }

    /// Sends on to `location` (RFC 9110 section 15.4.3), once: nobody may remember where, or a click
    /// would not be seen again. The target learns the origin of the page that the link stood on, no more.
    public mutating func redirect(to location: ByteView, _ frame: Frame) {
        begin(status: 302)
        buffer.append("Location: ")
        buffer.append(location)
        buffer.append("\r\nCache-Control: no-store\r\n")
        buffer.append("Referrer-Policy: strict-origin-when-cross-origin\r\nContent-Length: 0\r\n")
        appendCommon(frame)
        buffer.append("\r\n")
    }

    /// A transparent image of one pixel, whatever became of the request: an `<img>` shows nothing else.
    /// The status tells the truth, and a header the problem's code.
    public mutating func image(_ frame: Frame, problem: Problem? = nil) {
        begin(status: problem?.row.status ?? 200)
        if let problem {
            buffer.append("X-Heliograph-Problem: ")
            buffer.append(problem.row.code)
            buffer.append("\r\n")
            if problem.isTemporary { appendRetryAfter(Limits.retryAfterSeconds) }
        }
        buffer.append("Cache-Control: no-store\r\n")
        appendCommon(frame)
        var pixel = ByteBuffer(capacity: 48)
        for byte in Self.pixel { pixel.append(byte) }
        finish(type: "image/gif", pixel.view, frame)
    }

    /// The smallest GIF 89a: one pixel, which is transparent.
    private static let pixel: [UInt8] = [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff,
        0x21, 0xf9, 4, 1, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b,
    ]

    /// The client's copy is still good (RFC 9110 section 15.4.5).
    public mutating func notModified(fields: ByteView, _ frame: Frame) {
        begin(status: 304)
        buffer.append(fields)
        appendCommon(frame)
        buffer.append("\r\n")
    }

    private mutating func begin(status: Int) {
        buffer.reset()
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: Int64(status))
        buffer.append(UInt8(ascii: " "))
        buffer.append(Self.phrase(status))
        buffer.append("\r\n")
    }

    /// A page on another origin may read the field only when it is exposed (Fetch standard).
    private mutating func appendRetryAfter(_ seconds: Int) {
        buffer.append("Retry-After: ")
        buffer.append(decimal: Int64(seconds))
        buffer.append("\r\nAccess-Control-Expose-Headers: Retry-After\r\n")
    }

    private mutating func appendCommon(_ frame: Frame) {
        buffer.append(date.view)
        if !frame.keepsAlive { buffer.append("Connection: close\r\n") }
        buffer.append(frame.lines)
        guard !frame.allowedOrigin.isEmpty else { return }
        buffer.append("Access-Control-Allow-Origin: ")
        buffer.append(frame.allowedOrigin)
        // Caches must keep answers to different origins apart (Fetch standard, CORS and caches).
        buffer.append("\r\nVary: Origin\r\n")
    }

    private mutating func finish(type: StaticString, _ body: ByteView, _ frame: Frame) {
        buffer.append("Content-Type: ")
        buffer.append(type)
        buffer.append("\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ")
        buffer.append(decimal: Int64(body.count))
        buffer.append("\r\n\r\n")
        if !frame.isHead { buffer.append(body) }
    }

    private static func phrase(_ status: Int) -> StaticString {
        switch status {
        case 200: return "OK"
        case 302: return "Found"
        case 304: return "Not Modified"
        case 400: return "Bad Request"
        case 401: return "Unauthorized"
        case 403: return "Forbidden"
        case 404: return "Not Found"
        case 405: return "Method Not Allowed"
        case 408: return "Request Timeout"
        case 411: return "Length Required"
        case 413: return "Content Too Large"
        case 414: return "URI Too Long"
        case 415: return "Unsupported Media Type"
        case 417: return "Expectation Failed"
        case 422: return "Unprocessable Content"
        case 429: return "Too Many Requests"
        case 431: return "Request Header Fields Too Large"
        case 500: return "Internal Server Error"
        case 501: return "Not Implemented"
        case 503: return "Service Unavailable"
        case 505: return "HTTP Version Not Supported"
        default: return "Unknown"
        }
    }
}
