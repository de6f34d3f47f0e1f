public import Logging

/// Everything that can be wrong with a request, a batch or an event: the one table from which come
/// the HTTP status, the code and reason in the answer, the counter's label and the log level.
public enum Problem: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    // The request. Its bytes cannot be trusted any further, so the connection closes.
    case requestLineMalformed, requestLineTooLong, headerMalformed, headersTooLarge
    case headerCountExceeded, hostMalformed, lengthMalformed, transferEncodingUnsupported
    case chunkMalformed, versionUnsupported, requestTimeout, bodyTooSlow, bodyTooLarge
    case expectationUnknown
    // The request is well framed, but not one for us.
    case pathUnknown, methodNotAllowed, lengthRequired
    case encodingUnsupported, gzipMalformed, inflatedTooLarge
    // The batch.
    case textNotUTF8, jsonMalformed, jsonTooDeep, formatUnsupported, fieldMissing, fieldType
    case fieldRange, idMalformed, eventCountExceeded, batchTooLarge, keyUnknown
    case originNotAllowed, batchEmpty, windowGapsExceeded
    // A request of another sender than the SDK.
    case writeKeyUnknown, serverBatchTooLarge
    // The engine.
    case overloaded, shed, journalFull, notReady, stopping, tooManyConnections, internalFailure
    // The sender's limits.
    case addressRateExceeded, visitorRateExceeded, siteRateExceeded, siteQuotaExceeded
    // One event; the rest of its batch is taken.
    case eventTypeUnknown, eventMalformed, eventFieldMissing, eventFieldRange, eventTooLarge
    case eventUnlisted, propertyType, propertyMissing, propertyUnlisted
    case eventPropertiesExceeded, eventWithoutConsent, eventWithoutVisitor
    case imagePrefetched, rowRefused, subjectErased

    /// What a problem means to the sender and to the operator.
    public struct Row: Sendable {
        /// The problem.
        public let problem: Problem
        /// The code in the answer and in the counter's label.
        public let code: StaticString
        /// The HTTP status; 0 for one event of a batch that is otherwise taken.
        public let status: Int
        /// How loudly it is logged.
        public let level: Logger.Level
        /// What is wrong and what would be right, for people.
        public let reason: StaticString
        /// Whether the connection must close, because what follows cannot be framed.
        public let closes: Bool

        init(
            _ problem: Problem,
            _ code: StaticString,
            _ status: Int,
            _ reason: StaticString,
            level: Logger.Level = .debug,
            closes: Bool = false
        ) {
            self.problem = problem
            self.code = code
            self.status = status
            self.level = level
            self.reason = reason
            self.closes = closes
        }
    }

    /// The problem's row.
    public var row: Row { Self.rows[Int(rawValue)] }

    /// Whether the sender should try the same bytes again after `Retry-After`.
    public var isTemporary: Bool { row.status == 408 || row.status == 429 || row.status == 503 }

    /// Whether it is about one event and not about its request.
    public var isAboutOneEvent: Bool { row.status == 0 }

    static let rows: [Row] =
        requestRows + routingRows + batchRows + serverRows + engineRows + rateRows + eventRows

    // RFC 9112 asks for 400 and a closed connection where framing is in doubt.
    private static let requestRows: [Row] = [
        Row(
            .requestLineMalformed,
            "request-line-malformed",
            400,
            "the request line is not METHOD SP TARGET SP HTTP/1.1",
            closes: true
        ),
        Row(
            .requestLineTooLong,
            "request-line-too-long",
            414,
            "the request line is longer than 8 KiB",
            closes: true
        ),
        Row(
            .headerMalformed,
            "header-malformed",
            400,
            "a header is not NAME: VALUE followed by CR LF",
            closes: true
        ),
        Row(
            .headersTooLarge,
            "headers-too-large",
            431,
            "the headers are larger than 16 KiB",
            closes: true
        ),
        Row(
            .headerCountExceeded,
            "too-many-headers",
            431,
            "there are more than 64 headers",
            closes: true
        ),
        Row(
            .hostMalformed,
            "host-malformed",
            400,
            "HTTP/1.1 needs exactly one valid Host header",
            closes: true
        ),
        Row(
            .lengthMalformed,
            "length-malformed",
            400,
            "Content-Length must be one decimal number, and not be joined by Transfer-Encoding",
            closes: true
        ),
        Row(
            .transferEncodingUnsupported,
            "transfer-encoding-unsupported",
            501,
            "Transfer-Encoding may only be chunked",
            closes: true
        ),
        Row(
            .chunkMalformed,
            "chunk-malformed",
            400,
            "a chunk of the body is malformed",
            closes: true
        ),
        Row(
            .versionUnsupported,
            "http-version-unsupported",
            505,
            "only HTTP/1.0 and HTTP/1.1 are spoken here",
            closes: true
        ),
        Row(
            .requestTimeout,
            "request-timeout",
            408,
            "the request took too long to arrive",
            closes: true
        ),
        Row(
            .bodyTooSlow,
            "body-too-slow",
            408,
            "the body arrives slower than 1 KiB/s",
            closes: true
        ),
        Row(
            .bodyTooLarge,
            "body-too-large",
            413,
            "the body is larger than its path takes",
            closes: true
        ),
        Row(
            .expectationUnknown,
            "expectation-unknown",
            417,
            "Expect may only be 100-continue",
            closes: true
        ),
    ]

    private static let routingRows: [Row] = [
        Row(.pathUnknown, "not-found", 404, "there is nothing at this path"),
        Row(.methodNotAllowed, "method-not-allowed", 405, "this path does not take this method"),
        Row(.lengthRequired, "length-required", 411, "a POST needs Content-Length or chunks"),
        Row(
            .encodingUnsupported,
            "encoding-unsupported",
            415,
            "a body may be plain, or compressed once with gzip or deflate"
        ),
        Row(
            .gzipMalformed,
            "gzip-malformed",
            400,
            "the body is not one complete gzip or deflate stream"
        ),
        Row(
            .inflatedTooLarge,
            "inflated-too-large",
            413,
            "the body inflates beyond what its path takes or beyond 100 times its size"
        ),
    ]

    private static let batchRows: [Row] = [
        Row(.textNotUTF8, "utf8-invalid", 400, "the body is not valid UTF-8"),
        Row(.jsonMalformed, "json-malformed", 400, "the body is not one JSON object"),
        Row(.jsonTooDeep, "json-too-deep", 400, "the JSON is nested deeper than 16"),
        Row(.formatUnsupported, "format-unsupported", 400, "v must be 1"),
        Row(.fieldMissing, "field-missing", 400, "a required field is missing"),
        Row(.fieldType, "field-type", 400, "a field has the wrong type"),
        Row(.fieldRange, "field-range", 400, "a field's value is outside its range"),
        Row(.idMalformed, "id-malformed", 400, "an id has the wrong length or characters"),
        Row(.eventCountExceeded, "too-many-events", 413, "a batch holds at most 64 events"),
        Row(.batchTooLarge, "batch-too-large", 413, "the events of a batch exceed 48 KiB"),
        Row(.keyUnknown, "key-unknown", 403, "the site key k is not known here", level: .info),
        Row(
            .originNotAllowed,
            "origin-not-allowed",
            403,
            "the site does not take beacons from this origin",
            level: .info
        ),
        Row(.batchEmpty, "batch-empty", 400, "the batch holds no event that could be taken"),
        Row(
            .windowGapsExceeded,
            "window-gaps",
            422,
            "too many gaps in this window's event numbers"
        ),
    ]

    private static let serverRows: [Row] = [
        Row(
            .writeKeyUnknown,
            "write-key-unknown",
            401,
            "no site has this write key; give it as Basic user name, writeKey or query parameter",
            level: .info
        ),
        Row(
            .serverBatchTooLarge,
            "batch-too-large-for-a-request",
            413,
            "more events than one request may bring: 5 000, or 6 MiB as they are stored"
        ),
    ]

    private static let engineRows: [Row] = [
        Row(.overloaded, "overloaded", 503, "the engine is busy, try again", level: .info),
        Row(
            .shed,
            "shed",
            503,
            "the engine is near its limit and takes what matters most, try again",
            level: .info
        ),
        Row(
            .journalFull,
            "journal-full",
            503,
            "the journal's disk budget is spent, try again",
            level: .error
        ),
        Row(.notReady, "not-ready", 503, "the engine is starting, try again", level: .info),
        Row(
            .stopping,
            "stopping",
            503,
            "the engine is stopping, try again",
            level: .info,
            closes: true
        ),
        Row(
            .tooManyConnections,
            "too-many-connections",
            503,
            "too many connections, try again",
            level: .warning,
            closes: true
        ),
        Row(
            .internalFailure,
            "internal-failure",
            500,
            "the engine failed on this request",
            level: .error,
            closes: true
        ),
    ]

    private static let rateRows: [Row] = [
        Row(
            .addressRateExceeded,
            "address-rate",
            429,
            "this address sends too many requests; limits.address_requests_per_second",
            level: .info
        ),
        Row(
            .visitorRateExceeded,
            "visitor-rate",
            429,
            "this visitor sends too many events; limits.visitor_events_per_second",
            level: .info
        ),
        Row(
            .siteRateExceeded,
            "site-rate",
            429,
            "the site sends too many events; its limits.events_per_second",
            level: .info
        ),
        Row(
            .siteQuotaExceeded,
            "site-quota",
            429,
            "the site has had its events of the day; its limits.events_per_day",
            level: .warning
        ),
    ]

    private static let eventRows: [Row] = [
        Row(.eventTypeUnknown, "event-type-unknown", 0, "the event's type t is not known"),
        Row(.eventMalformed, "event-malformed", 0, "a field of the event has the wrong type"),
        Row(.eventFieldMissing, "event-field-missing", 0, "a field of the event is missing"),
        Row(.eventFieldRange, "event-field-range", 0, "a value of the event is out of range"),
        Row(.eventTooLarge, "event-too-large", 0, "the event is larger than its format allows"),
        Row(
            .eventUnlisted,
            "event-unlisted",
            0,
            "the site takes listed events only, and this is none"
        ),
        Row(
            .propertyType,
            "property-type",
            0,
            "a property has another type than the site's rule wants"
        ),
        Row(
            .propertyMissing,
            "property-missing",
            0,
            "a property that the site's rule requires is missing"
        ),
        Row(
            .propertyUnlisted,
            "property-unlisted",
            0,
            "a property is not in the site's rule"
        ),
        Row(
            .eventPropertiesExceeded,
            "event-properties-exceeded",
            0,
            "the event has more than 32 properties or 2 KiB of them"
        ),
        Row(
            .eventWithoutConsent,
            "event-without-consent",
            0,
            "the visitor has not agreed to measurement"
        ),
        Row(
            .eventWithoutVisitor,
            "event-without-visitor",
            0,
            "the event names neither a user nor an anonymous visitor"
        ),
        Row(
            .imagePrefetched,
            "image-prefetched",
            0,
            "the image was fetched ahead of being seen, which is no event"
        ),
        Row(
            .rowRefused,
            "row-refused",
            0,
            "PostgreSQL refused the event's row",
            level: .warning
        ),
        Row(
            .subjectErased,
            "erased",
            0,
            "the visitor was erased, or asked not to be processed"
        ),
    ]
}
