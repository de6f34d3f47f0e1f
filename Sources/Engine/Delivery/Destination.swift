public import Telemetry

/// An outside server-side API. One file behind this protocol is all that a new one takes.
///
/// Values in, values out: it never touches a socket, a clock or a store.
public protocol Destination: Sendable {
    /// Its name in the site's settings.
    var name: String { get }
    /// What may share a request.
    var batching: Batching { get }
    /// Conversions with the same text may share a request; those of other texts never do.
    func group(of conversion: Conversion) -> String
    /// Whether `conversion` may be sent at `nowMilliseconds`: consent, age, and the platform's own rules.
    func judge(_ conversion: Conversion, nowMilliseconds: Int64) -> Preflight
    /// The request for conversions of one group that all passed `judge`.
    func request(for conversions: [Conversion], nowMilliseconds: Int64) -> OutgoingRequest
    /// The same, marked as a test that no report counts; `code` is the platform's test code.
    func testRequest(
        for conversion: Conversion,
        code: String?,
        nowMilliseconds: Int64
    ) -> OutgoingRequest
    /// What an answer, or its absence, means for the conversions that were sent.
    func read(_ answer: Answer, sent: Int) -> Ruling
}

/// How many conversions a request may hold, and how long one may wait for others.
public struct Batching: Sendable, Equatable {
    /// Conversions in a request.
    public var eventsMaximum: Int
    /// Bytes of a body.
    public var bytesMaximum: Int
    /// How long the first may wait for company.
    public var delayMilliseconds: Int

    /// Limits from their parts.
    public init(eventsMaximum: Int, bytesMaximum: Int, delayMilliseconds: Int) {
        self.eventsMaximum = eventsMaximum
        self.bytesMaximum = bytesMaximum
        self.delayMilliseconds = delayMilliseconds
    }
}

/// What the local check says of a conversion.
public enum Preflight: Sendable, Equatable {
    /// It may join a request. Remarks tell what was shortened or left out.
    case ready(remarks: [String])
    /// The platform would refuse it, or must not have it: it ends here, with the reason's code.
    case refused(reason: String)
    /// Too old for the platform.
    case expired
    /// Consent, an opt-out or a rule of the site forbids it.
    case forbidden(reason: String)
}

/// A request that is ready to go. Address and body may hold tokens and are never logged.
public struct OutgoingRequest: Sendable {
    /// The address with its query.
    public var url: Secret
    /// Names and values; values may be secret.
    public var headers: [(name: String, value: Secret)]
    /// The body's bytes.
    public var body: [UInt8]

    /// A POST from its parts.
    public init(url: Secret, headers: [(name: String, value: Secret)], body: [UInt8]) {
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// What came back.
public enum Answer: Sendable, Equatable {
    /// An answer whose head and body were read whole (the body up to a limit).
    case response(status: Int, headers: [String: String], body: [UInt8])
    /// No answer. `mayHaveArrived` when bytes of the request had been written: then nobody knows.
    case failure(TransportFailure, mayHaveArrived: Bool)
}

/// Why there was no answer.
public enum TransportFailure: String, Sendable, Equatable {
    case nameNotFound = "name-not-found"
    case connectFailed = "connect-failed"
    case tlsFailed = "tls-failed"
    case timedOut = "timed-out"
    case reset
    case malformedAnswer = "malformed-answer"
    case tooLarge = "answer-too-large"
}

/// What an answer means. Codes are the platform's where it gave one.
public enum Ruling: Sendable, Equatable {
    /// All were taken. `remark` is what the platform said beside.
    case delivered(remark: String?, trace: String?)
    /// Whether they were taken is unknown and repeating could count twice: kept as in doubt, not sent again.
    case inDoubt(code: String)
    /// To be sent again; `mayHaveArrived` says that a repetition may be a second copy.
    case retry(code: String, afterMilliseconds: Int64?, attemptsMaximum: Int, mayHaveArrived: Bool)
    /// Nothing was taken, and this destination's credentials are to rest: rate limit or policy.
    case pause(code: String, forMilliseconds: Int64?, alert: Bool)
    /// Nothing was taken, and nothing will be until the settings change: token, permission, version.
    case stop(code: String, reason: String)
    /// Nothing was taken, one of them is at fault: halve. Alone it is settled as `alone` says.
    case bisect(alone: Fault)
    /// Nothing was taken, the request was too large: halve; alone it is dead.
    case split(code: String)
}

/// What becomes of a conversion that the platform refused when it was alone.
public struct Fault: Sendable, Equatable {
    /// How it ends.
    public enum End: Sendable, Equatable {
        case dead
        case expired
        /// Send it once more without its click id of Meta's.
        case resendWithoutClickID
    }

    /// How it ends.
    public var end: End
    /// The platform's code with its subcode, such as `100/2804003`.
    public var code: String
    /// What the platform calls it, or our name for it; never user data.
    public var reason: String
    /// The platform's id of the request.
    public var trace: String?

    /// A fault from its parts.
    public init(end: End, code: String, reason: String, trace: String?) {
        self.end = end
        self.code = code
        self.reason = reason
        self.trace = trace
    }
}
