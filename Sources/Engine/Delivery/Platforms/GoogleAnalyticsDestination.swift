import Settings
import Telemetry

/// GA4's Measurement Protocol (conversions.md 2).
public struct GoogleAnalyticsDestination: Destination {
    private let frame: DestinationFrame
    private let google: GoogleAnalyticsSettings
    private let secret: Secret

    /// Below Google's 130 kB, so that one event more never breaks it.
    public let batching = Batching(
        eventsMaximum: 25,
        bytesMaximum: 120_000,
        delayMilliseconds: 1_000
    )

    /// Google silently moves what is older to exactly this.
    private static let ageMillisecondsMaximum: Int64 = 72 * 3_600_000

    init(_ frame: DestinationFrame, _ google: GoogleAnalyticsSettings, secret: Secret) {
        self.frame = frame
        self.google = google
        self.secret = secret
    }

    /// Its name in the site's settings.
    public var name: String { frame.name }

    /// A request belongs to one client with one state of consent.
    public func group(of conversion: Conversion) -> String {
        GoogleEnvelope(conversion, frame.terms(conversion), google).group
    }

    /// Consent, age, and everything that Google would drop without saying so.
    public func judge(_ conversion: Conversion, nowMilliseconds: Int64) -> Preflight {
        if let forbidden = frame.forbidden(conversion) { return forbidden }
        let untimely = frame.untimely(
            conversion,
            nowMilliseconds,
            ageMillisecondsMaximum: Self.ageMillisecondsMaximum
        )
        if let untimely { return untimely }
        let event = GoogleEvent(conversion, frame, google)
        if let refusal = event.refusal { return .refused(reason: refusal) }
        return .ready(remarks: event.remarks(nowMilliseconds: nowMilliseconds))
    }

    /// One client's events.
    public func request(
        for conversions: [Conversion],
        nowMilliseconds: Int64
    ) -> OutgoingRequest {
        request(conversions, isTest: false, nowMilliseconds)
    }

    /// To the endpoint that says what is wrong and stores nothing; Google needs no code for it. It does
    /// not look at the secret.
    public func testRequest(
        for conversion: Conversion,
        code: String?,
        nowMilliseconds: Int64
    ) -> OutgoingRequest {
        request([conversion], isTest: true, nowMilliseconds)
    }

    private func request(
        _ conversions: [Conversion],
        isTest: Bool,
        _ now: Int64
    ) -> OutgoingRequest {
        var json = JSONWriter()
        json.object { json in
            if let first = conversions.first {
                GoogleEnvelope(first, frame.terms(first), google).writeMembers(&json)
            }
            // For readers that look at the request alone; each event's own time goes first.
            let time = conversions.first.map { frame.time($0, now) * 1_000 }
            json.integer("timestamp_micros", time)
            if isTest { json.text("validation_behavior", "ENFORCE_RECOMMENDATIONS") }
            json.list("events") { json in
                for conversion in conversions {
                    GoogleEvent(conversion, frame, google)
                        .write(&json, nowMilliseconds: now)
                }
            }
        }
        let type = (name: "Content-Type", value: Secret("application/json"))
        return OutgoingRequest(url: url(isTest: isTest), headers: [type], body: json.bytes)
    }

    private func url(isTest: Bool) -> Secret {
        let host =
            google.region == .europe ? "region1.google-analytics.com" : "www.google-analytics.com"
        let origin = frame.settings.endpoint ?? "https://\(host)"
        let path = isTest ? "/debug/mp/collect" : "/mp/collect"
        let escaped = secret.expose { Self.escaped($0) }
        return Secret(
            "\(origin)\(path)?measurement_id=\(google.measurementID)&api_secret=\(escaped)"
        )
    }

    /// RFC 3986 section 2.3: what is not unreserved is escaped.
    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte)
                || (97...122).contains(byte) || [45, 46, 95, 126].contains(byte)
            return isPlain ? [byte] : [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let attemptsUnsent = 6
    private static let attemptsRefused = 3

    /// There is no body to look at: 2xx means that something arrived (conversions.md 2.9).
    public func read(_ answer: Answer, sent: Int) -> Ruling {
        switch answer {
        case .failure(let failure, let mayHaveArrived):
            return .retry(
                code: failure.rawValue,
                afterMilliseconds: nil,
                attemptsMaximum: Self.attemptsUnsent,
                mayHaveArrived: mayHaveArrived
            )
        case .response(let status, let headers, _):
            return read(status, AnswerHeaders(headers))
        }
    }

    /// An edge that answers 5xx has not received: retried against Google's advice, but seldom.
    private func read(_ status: Int, _ headers: AnswerHeaders) -> Ruling {
        let code = "http-\(status)"
        switch status {
        case 200...299: return .delivered(remark: nil, trace: nil)
        case 408, 429, 500...:
            return .retry(
                code: code,
                afterMilliseconds: headers.retryAfterMilliseconds,
                attemptsMaximum: Self.attemptsRefused,
                mayHaveArrived: false
            )
        case 413: return .split(code: code)
        default:
            return .bisect(alone: Fault(end: .dead, code: code, reason: "refused", trace: nil))
        }
    }
}
