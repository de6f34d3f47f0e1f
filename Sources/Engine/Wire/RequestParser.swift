public import Bytes
import Settings

/// Reads the head of an HTTP/1.1 request (RFC 9112), strictly: what two implementations could read
/// in two ways is refused, because request smuggling lives there.
///
/// A pure function of the bytes: it keeps nothing between calls, so that a request split anywhere
/// gives the same result as one in a piece.
public enum RequestParser {
    /// What the bytes hold.
    public enum Result {
        /// The head is not complete; bring more bytes.
        case incomplete
        /// A whole head.
        case complete(RequestHead)
        /// Never a request, whatever follows.
        case refused(FramingError)
    }

    /// Reads a head from the start of `bytes`.
    public static func parse(_ bytes: ByteView) -> Result {
        do {
            var reader = HeadReader(bytes)
            guard try reader.read() else {
                return bytes.count > Limits.headerBytesMaximum
                    ? .refused(.headerTooLarge) : .incomplete
            }
            return .complete(reader.head)
        } catch {
            return .refused(error)
        }
    }
}

/// The state of one pass over a head.
private struct HeadReader {
    let bytes: ByteView
    var head = RequestHead()
    private var position = 0
    private var fields = 0
    private var sawHost = false
    private var sawLength = false
    private var sawEncoding = false
    private var sawCoding = false

    init(_ bytes: ByteView) { self.bytes = bytes }

    /// False when more bytes are needed.
    mutating func read() throws(FramingError) -> Bool {
        try skipEmptyLines()
        guard let requestLine = try nextLine() else { return false }
        try readRequestLine(requestLine)
        while true {
            guard let line = try nextLine() else { return false }
            if line.isEmpty { break }
            try readField(line)
        }
        head.length = position
        try checkFraming()
        return true
    }

    /// RFC 9112 section 2.2: a server should ignore at least one empty line before the request.
    private mutating func skipEmptyLines() throws(FramingError) {
        while position &+ 1 < bytes.count, bytes[position] == 13, bytes[position &+ 1] == 10 {
            position &+= 2
            if position > 8 { throw .badRequestLine }
        }
    }

    /// The next line without its CRLF, or nil when it is not complete.
    private mutating func nextLine() throws(FramingError) -> ByteView? {
        guard let feed = bytes.firstIndex(of: 10, from: position) else {
            try checkPartialLine()
            return nil
        }
        // RFC 9112 section 2.2: a recipient may take a bare LF for a line end; we do not, since
        // a neighbour that does would see other lines than we do.
        guard feed > position, bytes[feed &- 1] == 13 else { throw .badLineEnding }
        let line = bytes[position..<feed &- 1]
        if line.count > Limits.headerLineBytesMaximum { throw .lineTooLong }
        if feed >= Limits.headerBytesMaximum { throw .headerTooLarge }
        position = feed &+ 1
        return line
    }

    /// Refuses early what can no longer become a line, so that garbage does not wait for a deadline.
    private func checkPartialLine() throws(FramingError) {
        if bytes.count &- position > Limits.headerLineBytesMaximum { throw .lineTooLong }
        if let carriage = bytes.firstIndex(of: 13, from: position), carriage &+ 1 < bytes.count {
            throw .badLineEnding
        }
    }

    // MARK: - Request line, RFC 9112 section 3

    private mutating func readRequestLine(_ line: ByteView) throws(FramingError) {
        guard let firstSpace = line.firstIndex(of: 32), firstSpace > 0 else {
            throw .badRequestLine
        }
        guard let secondSpace = line.firstIndex(of: 32, from: firstSpace &+ 1) else {
            throw .badRequestLine
        }
        try readMethod(line[0..<firstSpace])
        try readTarget(line[firstSpace &+ 1..<secondSpace])
        try readVersion(line[secondSpace &+ 1..<line.count])
    }

    private mutating func readMethod(_ text: ByteView) throws(FramingError) {
        if text.equals("POST") {
            head.method = .post
        } else if text.equals("GET") {
            head.method = .get
        } else if text.equals("HEAD") {
            head.method = .head
        } else if text.equals("OPTIONS") {
            head.method = .options
        } else {
            guard FieldGrammar.isToken(text) else { throw .badMethod }
            // RFC 9110 section 9.3.6: CONNECT is a proxy's. What follows it is a tunnel's bytes to
            // some and a body to others, so it is no method that we merely do not serve.
            if text.equals("CONNECT") { throw .badMethod }
            head.method = .other
        }
    }

    private mutating func readTarget(_ target: ByteView) throws(FramingError) {
        guard !target.isEmpty, FieldGrammar.isTarget(target) else { throw .badTarget }
        var rest = target
        if target.starts(with: "http://") || target.starts(with: "https://") {
            // Absolute-form, RFC 9112 section 3.2.2: a server must accept it.
            rest = try behindAuthority(target)
        } else if target[0] != UInt8(ascii: "/") {
            // Asterisk-form, section 3.2.4, is for OPTIONS only; authority-form is a proxy's.
            guard target.equals("*"), head.method == .options else { throw .badTarget }
        }
        let mark = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.count
        // RFC 9110 section 4.2.3: an empty path of an absolute target means the root.
        head.path = mark == 0 ? ByteView("/") : rest[0..<mark]
        head.query = mark < rest.count ? rest[mark &+ 1..<rest.count] : .empty
    }

    /// Path and query of an absolute target. RFC 3986 section 3.2: the authority ends at the first
    /// slash or question mark, so that a slash inside the query begins no path.
    private func behindAuthority(_ target: ByteView) throws(FramingError) -> ByteView {
        let start = target.starts(with: "https://") ? 8 : 7
        var end = start
        while end < target.count, target[end] != UInt8(ascii: "/"), target[end] != UInt8(ascii: "?")
        {
            end &+= 1
        }
        // RFC 9110 section 4.2.4: user information in an authority is an error, as is a fragment.
        guard end > start, FieldGrammar.isHost(target[start..<end]) else { throw .badTarget }
        return target[end..<target.count]
    }

    private mutating func readVersion(_ text: ByteView) throws(FramingError) {
        if text.equals("HTTP/1.1") { return }
        guard text.equals("HTTP/1.0") else {
            throw text.starts(with: "HTTP/") ? .unsupportedVersion : .badRequestLine
        }
        head.isOldVersion = true
        head.keepsAlive = false
    }

    // MARK: - Fields, RFC 9112 section 5

    private mutating func readField(_ line: ByteView) throws(FramingError) {
        fields &+= 1
        if fields > Limits.headerCountMaximum { throw .tooManyFields }
        // Section 5.2: a line that begins with white space continues the one before; obsolete.
        if line[0] == 32 || line[0] == 9 { throw .obsoleteFold }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .badFieldName }
        let name = line[0..<colon]
        // Section 5.1: no white space between name and colon; a token has none.
        guard FieldGrammar.isToken(name) else { throw .badFieldName }
        let value = FieldGrammar.trimmed(line[colon &+ 1..<line.count])
        guard FieldGrammar.isValue(value) else { throw .badFieldValue }
        try takeField(name, value)
    }

    /// By the length of the name first, so that most names cost one comparison.
    private mutating func takeField(_ name: ByteView, _ value: ByteView) throws(FramingError) {
        switch name.count {
        case 4: if name.equalsIgnoringCase("Host") { try takeHost(value) }
        case 6:
            if name.equalsIgnoringCase("Origin") {
                // RFC 6454 section 7.3: one at most. Of two, we and a proxy could believe another.
                if !head.origin.isEmpty { throw .badFieldValue }
                head.origin = value
            } else if name.equalsIgnoringCase("Expect") {
                try takeExpect(value)
            } else if name.equalsIgnoringCase("Cookie"), head.cookies.isEmpty {
                head.cookies = value
            }
        case 10:
            if name.equalsIgnoringCase("Connection") {
                takeConnection(value)
            } else if name.equalsIgnoringCase("User-Agent") {
                head.userAgent = value
            }
        case 14:
            if name.equalsIgnoringCase("Content-Length") {
                try takeLength(value)
            } else if name.equalsIgnoringCase("Sec-Fetch-Mode") {
                head.fetchMode = value
            }
        case 16:
            if name.equalsIgnoringCase("Content-Encoding") {
                takeCoding(value)
            } else if name.equalsIgnoringCase("Sec-CH-UA-Mobile") {
                head.mobileHint = value
            } else if name.equalsIgnoringCase("X-Forwarded-Host") {
                head.forwardedHost = value
            }
        case 17: if name.equalsIgnoringCase("Transfer-Encoding") { try takeEncoding(value) }
        default: takeRareField(name, value)
        }
    }

    /// Fields that have no say in the framing.
    private mutating func takeRareField(_ name: ByteView, _ value: ByteView) {
        switch name.count {
        case 3: if name.equalsIgnoringCase("DNT") { head.asksNotToTrack = value.equals("1") }
        case 7: takeSevenByteField(name, value)
        case 9: if name.equalsIgnoringCase("Sec-CH-UA") { head.brands = value }
        case 11: if name.equalsIgnoringCase("Sec-Purpose") { takePurpose(value) }
        case 12: if name.equalsIgnoringCase("Content-Type") { head.contentType = value }
        case 13:
            if name.equalsIgnoringCase("If-None-Match") {
                head.ifNoneMatch = value
            } else if name.equalsIgnoringCase("Authorization") {
                head.authorization = value
            }
        case 15: takeFifteenByteField(name, value)
        case 18:
            if name.equalsIgnoringCase("Sec-CH-UA-Platform") {
                head.platformHint = value
            } else if name.equalsIgnoringCase("X-Heliograph-Debug") {
                head.wantsVerdicts = value.equals("1")
            }
        case 24: if name.equalsIgnoringCase("X-Heliograph-Received-At") { head.receivedAt = value }
        case 30:
            if name.equalsIgnoringCase("Access-Control-Request-Headers") {
                head.requestedHeaders = value
            }
        default: break
        }
    }

    private mutating func takeSevenByteField(_ name: ByteView, _ value: ByteView) {
        if name.equalsIgnoringCase("Sec-GPC") {
            // Several lines are one, and no other value means anything.
            if value.equals("1") { head.hasPrivacyControl = true }
        } else if name.equalsIgnoringCase("Purpose") {
            takePurpose(value)
        } else if name.equalsIgnoringCase("Referer") {
            head.referrer = value
        }
    }

    private mutating func takeFifteenByteField(_ name: ByteView, _ value: ByteView) {
        if name.equalsIgnoringCase("Accept-Encoding") {
            head.acceptEncoding = value
        } else if name.equalsIgnoringCase("Accept-Language") {
            head.acceptLanguage = value
        } else if name.equalsIgnoringCase("X-Forwarded-For") {
            // Several lines are one list (RFC 9110 section 5.3); the last is the nearest proxy's.
            head.forwardedFor.append(value)
        }
    }

    /// RFC 9112 section 3.2: exactly one Host in 1.1.
    private mutating func takeHost(_ value: ByteView) throws(FramingError) {
        if sawHost { throw .repeatedHost }
        guard FieldGrammar.isHost(value) else { throw .badFieldValue }
        sawHost = true
        head.host = value
    }

    /// RFC 9112 section 6.3 rule 5: an invalid or differing length is unrecoverable.
    private mutating func takeLength(_ value: ByteView) throws(FramingError) {
        if sawLength { throw .repeatedContentLength }
        sawLength = true
        guard let length = value.decimal else { throw .badContentLength }
        head.body = .length(length)
    }

    /// RFC 9112 section 6.1: only `chunked`, and only once, can be decoded here.
    private mutating func takeEncoding(_ value: ByteView) throws(FramingError) {
        guard !sawEncoding, value.equalsIgnoringCase("chunked") else {
            throw .unsupportedTransferEncoding
        }
        sawEncoding = true
    }

    /// RFC 9110 section 10.1.1.
    private mutating func takeExpect(_ value: ByteView) throws(FramingError) {
        guard value.equalsIgnoringCase("100-continue") else { throw .unsupportedExpectation }
        head.expectsContinue = !head.isOldVersion
    }

    /// RFC 9112 section 9.3.
    private mutating func takeConnection(_ value: ByteView) {
        if FieldGrammar.list(value, contains: "close") {
            head.keepsAlive = false
        } else if head.isOldVersion, FieldGrammar.list(value, contains: "keep-alive") {
            head.keepsAlive = true
        }
    }

    /// RFC 9110 section 8.4: codings are applied in the order in which they are listed, over all lines.
    /// One is all that we undo.
    private mutating func takeCoding(_ value: ByteView) {
        if sawCoding { return head.coding = .other }
        sawCoding = true
        if value.equalsIgnoringCase("gzip") || value.equalsIgnoringCase("x-gzip") {
            head.coding = .gzip
        } else if value.equalsIgnoringCase("deflate") {
            head.coding = .deflate
        } else if !value.equalsIgnoringCase("identity") {
            head.coding = .other
        }
    }

    private mutating func takePurpose(_ value: ByteView) {
        head.isPrefetch = value.starts(with: "prefetch") || value.starts(with: "prerender")
    }

    // MARK: - Framing, RFC 9112 section 6

    private mutating func checkFraming() throws(FramingError) {
        if !sawHost && !head.isOldVersion { throw .missingHost }
        guard sawEncoding else { return }
        // Section 6.3 rule 3: both fields together smell of smuggling.
        if sawLength { throw .lengthAndEncoding }
        // Section 6.1: a 1.0 message with Transfer-Encoding has faulty framing.
        if head.isOldVersion { throw .encodingInOldVersion }
        head.body = .chunked
    }
}
