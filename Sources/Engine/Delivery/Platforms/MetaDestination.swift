import Records
import Settings
import Telemetry

/// Meta's Conversions API (conversions.md 1).
public struct MetaDestination: Destination {
    private let frame: DestinationFrame
    private let meta: MetaSettings
    private let token: Secret
    private let proof: Secret?
    private let url: Secret

    /// All-or-nothing requests of fifty: what Meta's own library sends, and few to halve.
    public let batching = Batching(
        eventsMaximum: 50,
        bytesMaximum: 1_000_000,
        delayMilliseconds: 1_000
    )

    /// Seven days, less an hour so that what is on its way is not refused.
    private static let ageMillisecondsMaximum: Int64 = (7 * 24 - 1) * 3_600_000

    init(_ frame: DestinationFrame, _ meta: MetaSettings, token: Secret, appSecret: Secret?) {
        self.frame = frame
        self.meta = meta
        self.token = token
        proof = appSecret.map { secret in
            Secret(
                secret.expose { key in
                    token.expose { Digest.hmac(key: key, message: Array($0.utf8)) }
                }
            )
        }
        let origin = frame.settings.endpoint ?? "https://graph.facebook.com"
        url = Secret("\(origin)/\(meta.version)/\(meta.pixel)/events")
    }

    /// Its name in the site's settings.
    public var name: String { frame.name }

    /// Everything goes to one pixel with one token, but what was agreed to alike goes together: what
    /// befalls a request befalls one kind of consent.
    public func group(of conversion: Conversion) -> String {
        let terms = frame.terms(conversion)
        return terms.isLimited ? "limited" : terms.isOptedOut ? "attribution" : "full"
    }

    /// On sites about money nothing else may be told.
    private static let financeConversions: Set<String> = ["page_view", "lead"]

    /// Consent, age, and everything Meta would refuse a whole request for.
    public func judge(_ conversion: Conversion, nowMilliseconds: Int64) -> Preflight {
        if let forbidden = frame.forbidden(conversion) { return forbidden }
        if frame.sensitivity == .finance, !Self.financeConversions.contains(conversion.name) {
            return .forbidden(reason: "finance-site")
        }
        let untimely = frame.untimely(
            conversion,
            nowMilliseconds,
            ageMillisecondsMaximum: Self.ageMillisecondsMaximum
        )
        if let untimely { return untimely }
        let event = MetaEvent(conversion, frame, meta)
        if let refusal = event.refusal { return .refused(reason: refusal) }
        return .ready(remarks: event.remarks)
    }

    /// One envelope for all.
    public func request(
        for conversions: [Conversion],
        nowMilliseconds: Int64
    ) -> OutgoingRequest {
        request(conversions, testCode: nil, nowMilliseconds)
    }

    /// The same with Meta's test code. Meta still processes it: never for real traffic.
    public func testRequest(
        for conversion: Conversion,
        code: String?,
        nowMilliseconds: Int64
    ) -> OutgoingRequest {
        request([conversion], testCode: code, nowMilliseconds)
    }

    private func request(
        _ conversions: [Conversion],
        testCode: String?,
        _ now: Int64
    ) -> OutgoingRequest {
        var json = JSONWriter()
        json.object { json in
            json.list("data") { json in
                for conversion in conversions {
                    MetaEvent(conversion, frame, meta).write(&json, nowMilliseconds: now)
                }
            }
            json.text("partner_agent", meta.partnerAgent)
            json.text("test_event_code", testCode)
            // In the body: addresses end in logs.
            json.text("access_token", token.expose { $0 })
            json.text("appsecret_proof", proof?.expose { $0 })
        }
        let type = (name: "Content-Type", value: Secret("application/json; charset=utf-8"))
        return OutgoingRequest(url: url, headers: [type], body: json.bytes)
    }

    /// See `MetaAnswer`.
    public func read(_ answer: Answer, sent: Int) -> Ruling { MetaAnswer.read(answer, sent: sent) }
}
