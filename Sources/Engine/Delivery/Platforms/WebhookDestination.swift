import Records
import Settings
import Telemetry

/// A server of the operator's own: one signed request for each conversion.
///
/// `Heliograph-Signature: t=<seconds>,v1=<hex>` holds HMAC-SHA-256 under the secret of
/// `<seconds>.<body>`; who checks it also checks that the seconds are not long ago.
/// `Heliograph-Delivery` is the conversion's id and the same in every repetition.
public struct WebhookDestination: Destination {
    private let frame: DestinationFrame
    private let webhook: WebhookSettings
    private let secret: Secret

    /// One at a time, so that one that is refused harms no other.
    public let batching = Batching(eventsMaximum: 1, bytesMaximum: 1_000_000, delayMilliseconds: 0)

    private static let ageMillisecondsMaximum: Int64 = 7 * 24 * 3_600_000

    init(_ frame: DestinationFrame, _ webhook: WebhookSettings, secret: Secret) {
        self.frame = frame
        self.webhook = webhook
        self.secret = secret
    }

    /// Its name in the site's settings.
    public var name: String { frame.name }

    /// All go to one place.
    public func group(of conversion: Conversion) -> String { "" }

    /// Consent and age: the operator's server takes anything else.
    public func judge(_ conversion: Conversion, nowMilliseconds: Int64) -> Preflight {
        frame.forbidden(conversion) ?? frame.untimely(
            conversion,
            nowMilliseconds,
            ageMillisecondsMaximum: Self.ageMillisecondsMaximum
        ) ?? .ready(remarks: [])
    }

    /// One conversion, signed.
    public func request(
        for conversions: [Conversion],
        nowMilliseconds: Int64
    ) -> OutgoingRequest {
        request(conversions[0], isTest: false, nowMilliseconds)
    }

    /// The same with `"test": true`.
    public func testRequest(
        for conversion: Conversion,
        code: String?,
        nowMilliseconds: Int64
    ) -> OutgoingRequest {
        request(conversion, isTest: true, nowMilliseconds)
    }

    private func request(_ conversion: Conversion, isTest: Bool, _ now: Int64) -> OutgoingRequest {
        let body = body(conversion, isTest: isTest)
        let seconds = now / 1_000
        let signature = secret.expose {
            Digest.hmac(key: $0, message: Array("\(seconds).".utf8) + body)
        }
        let isPlain = conversion.id.utf8.allSatisfy { (33...126).contains($0) }
        let id = isPlain ? conversion.id : Digest.sha256(conversion.id)
        let headers = [
            ("Content-Type", "application/json"),
            ("Heliograph-Delivery", id),
            ("Heliograph-Signature", "t=\(seconds),v1=\(signature)"),
        ]
        return OutgoingRequest(
            url: Secret(webhook.url),
            headers: headers.map { (name: $0.0, value: Secret($0.1)) },
            body: body
        )
    }

    private func body(_ conversion: Conversion, isTest: Bool) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.text("type", "conversion")
            if isTest { json.flag("test", true) }
            WebhookEvent(conversion, frame, webhook).writeMembers(&json)
        }
        return json.bytes
    }

    private static let attemptsMaximum = Int.max

    /// 410 says: never again.
    public func read(_ answer: Answer, sent: Int) -> Ruling {
        guard case .response(let status, let headers, _) = answer else {
            guard case .failure(let failure, let mayHaveArrived) = answer else {
                return .inDoubt(code: "no-answer")
            }
            return again(failure.rawValue, nil, mayHaveArrived: mayHaveArrived)
        }
        let code = "http-\(status)"
        let wait = AnswerHeaders(headers).retryAfterMilliseconds
        switch status {
        case 200...299: return .delivered(remark: nil, trace: nil)
        case 410: return .stop(code: code, reason: "gone")
        case 429: return .pause(code: code, forMilliseconds: wait, alert: false)
        case 408, 500...: return again(code, wait, mayHaveArrived: true)
        default:
            return .bisect(alone: Fault(end: .dead, code: code, reason: "refused", trace: nil))
        }
    }

    private func again(_ code: String, _ wait: Int64?, mayHaveArrived: Bool) -> Ruling {
        .retry(
            code: code,
            afterMilliseconds: wait,
            attemptsMaximum: Self.attemptsMaximum,
            mayHaveArrived: mayHaveArrived
        )
    }
}

/// One conversion as a webhook is told it: each member named here, none spread from an event.
struct WebhookEvent {
    private let conversion: Conversion
    private let terms: DestinationGate.Terms
    private let frame: DestinationFrame
    private let webhook: WebhookSettings
    private let money: ConversionMoney

    init(
        _ conversion: Conversion,
        _ frame: DestinationFrame,
        _ webhook: WebhookSettings
    ) {
        self.conversion = conversion
        terms = frame.terms(conversion)
        self.frame = frame
        self.webhook = webhook
        money = ConversionMoney(conversion)
    }

    func writeMembers(_ json: inout JSONWriter) {
        let page = { (url: String?) in frame.page(url, originOnly: terms.isScrubbed) }
        json.text("id", conversion.id)
        json.text("site", conversion.site)
        json.text("name", frame.givenName(conversion) ?? conversion.name)
        json.integer("occurred_at", conversion.occurredAtMilliseconds)
        json.text("visitor", conversion.visitor)
        json.text("user", conversion.user.isEmpty ? nil : conversion.user)
        json.money("value", money.value)
        json.text("currency", money.currency)
        json.text("order_id", conversion.orderID)
        json.text("page_url", page(conversion.pageURL))
        json.text("referrer", page(conversion.referrer))
        if !terms.isScrubbed { json.text("title", conversion.title) }
        json.object("consent") { json in
            json.flag("advertising", terms.grantsAdUserData)
            json.flag("personalisation", terms.grantsAdPersonalisation)
        }
        json.object("details") { json in writeDetails(&json) }
        writeContact(&json)
    }

    private func writeDetails(_ json: inout JSONWriter) {
        let details = conversion.details
        if !details.items.isEmpty {
            json.list("items") { json in for item in details.items { write(item, &json) } }
        }
        json.text("coupon", details.coupon)
        json.text("affiliation", details.affiliation)
        json.number("tax", details.tax)
        json.number("shipping", details.shipping)
        json.number("predicted_ltv", details.predictedLifetimeValue)
        json.text("method", details.method)
        json.text("status", details.status)
        json.text("plan", details.plan)
        json.text("form_id", details.formID)
        json.text("store_id", details.storeID)
        if !terms.isScrubbed {
            json.text("search_term", details.searchTerm)
            json.text("content_name", details.contentName)
            json.text("content_category", details.contentCategory)
        }
        writeExtras(&json)
    }

    private func writeExtras(_ json: inout JSONWriter) {
        let extras = frame.extras(conversion)
        if extras.isEmpty { return }
        json.object("extras") { json in
            for extra in extras {
                switch extra.value {
                case .text(let text): json.text(extra.name, text)
                case .number(let number): json.number(extra.name, number)
                case .flag(let flag): json.flag(extra.name, flag)
                }
            }
        }
    }

    private func write(_ item: ConversionItem, _ json: inout JSONWriter) {
        json.object { json in
            json.text("id", item.id)
            if !terms.isScrubbed {
                json.text("name", item.name)
                json.text("brand", item.brand)
                json.text("category", item.category)
                json.text("variant", item.variant)
            }
            json.number("price", item.price)
            json.number("quantity", item.quantity)
            json.text("coupon", item.coupon)
            json.number("discount", item.discount)
        }
    }

    /// Hashes alone, and only those that the operator asked for.
    private func writeContact(_ json: inout JSONWriter) {
        guard terms.mayHoldContact else { return }
        let hashes = conversion.contact.metaHashes.filter { webhook.contact.contains($0.key) }
        json.lists("contact", hashes)
    }
}
