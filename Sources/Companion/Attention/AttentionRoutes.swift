import Foundation
import Hummingbird
import Settings
import Telemetry

/// What needs somebody, and putting it away.
struct AttentionRoutes: Sendable {
    private let reader: AttentionReader

    init(
        _ queries: QueryRoutes,
        _ visitors: VisitorReader,
        _ pixels: [String: [String: BrowserPixel]],
        writers: ArchiveReaders
    ) {
        reader = AttentionReader(
            archive: queries.archive,
            writers: writers,
            visitors: visitors,
            pixels: pixels,
            freshness: queries.freshness,
            time: queries.time
        )
    }

    static let cards = Endpoint(
        .get,
        "/sites/{site}/attention",
        .scope(.readStats),
        "What needs somebody now, by a closed list of rules: impact by urgency, the weightiest first."
    ).answering(
        [
            "type": "object", "required": ["as_of", "cards", "put_away", "missing"],
            "properties": [
                "as_of": ["type": "string", "format": "date-time"],
                "cards": ["type": "array", "items": card],
                "put_away": ["type": "integer", "minimum": 0],
                "missing": ["type": "array", "items": ["type": "string"]],
            ],
        ]
    )

    private static let card: JSONValue = [
        "type": "object",
        "required": [
            "id", "rule", "severity", "title", "why", "since", "value", "usual", "affected",
            "weight", "link", "actions", "confidence", "earlier",
        ],
        "properties": [
            "rule": ["enum": .words(AttentionRule.allCases.map(\.rawValue))],
            "severity": ["enum": ["critical", "warning", "chance"]],
            "affected": ["type": "integer", "minimum": 0],
            "confidence": ["type": "number", "minimum": 0, "maximum": 1],
        ],
    ]

    static let snooze = act(
        "snooze",
        "Hides a card for some minutes.",
        [
            "minutes": [
                "type": "integer", "minimum": 1,
                "maximum": .integer(Int64(Limits.attentionSnoozeMinutesMaximum)),
            ]
        ]
    )
    static let dismiss = act(
        "dismiss",
        "Hides a card until it concerns twice as many.",
        [
            "reason": [
                "type": "string", "maxLength": .integer(Int64(Limits.attentionReasonMaximum)),
            ]
        ]
    )
    static let done = act(
        "done",
        "Hides a card for as long as its rule looks back; it returns when the rule still holds then.",
        [:]
    )
    static let takeBack = Endpoint(
        .delete,
        "/attention/{id}",
        .scope(.writeAttention),
        "Shows a card again that was put away."
    ).taking(.site).answering(Schemas.open("id", "taken_back"))

    private static func act(_ name: String, _ about: String, _ fields: JSONValue) -> Endpoint {
        Endpoint(.post, "/attention/{id}/\(name)", .scope(.writeAttention), about).taking(.site)
            .takingBody([
                "type": "object", "additionalProperties": false, "properties": fields,
            ]).answering(Schemas.open("id", "state", "until"))
    }

    func add(to api: ApiRouter) {
        api.add(Self.cards) { call in try await cards(call) }
        api.add(Self.snooze) { call in try await put(.snooze, call) }
        api.add(Self.dismiss) { call in try await put(.dismiss, call) }
        api.add(Self.done) { call in try await put(.done, call) }
        api.add(Self.takeBack) { call in
            let (site, id) = (call.siteName(try call.site()), call.path("id"))
            guard try await reader.takeBack(id, site: site, by: call.caller()) else {
                throw ApiProblem.notFound("No card \(id.prefix(128)) of \(site) was put away.")
            }
            return try JSONBody.response(["id": JSONValue.string(id), "taken_back": true])
        }
    }

    private struct Cards: Encodable {
        let asOf: String
        let cards: [AttentionCard.Document]
        /// Cards that hold and are hidden.
        let putAway: Int
        /// Sources that did not answer.
        let missing: [String]

        enum CodingKeys: String, CodingKey {
            case cards, missing
            case asOf = "as_of"
            case putAway = "put_away"
        }
    }

    private func cards(_ call: Call) async throws -> Response {
        let site = try call.siteOfPath()
        let reading = try await reader.read(site: site, named: call.siteName(site))
        let (now, all) = (reading.facts.now, AttentionRule.cards(reading.facts))
        let shown = AttentionPutOff.shown(all, reading.putOff, now: now)
        return try JSONBody.response(
            Cards(
                asOf: RFC3339.text(epochMilliseconds: now),
                cards: shown.map { AttentionCard.Document(card: $0, now: now) },
                putAway: all.count - shown.count,
                missing: reading.missing
            )
        )
    }

    private struct Put: Encodable {
        let id: String
        let state: String
        /// Nil stands for as long as it concerns less than twice as many.
        let until: String?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(state, forKey: .state)
            try container.encode(until, forKey: .until)
        }

        enum CodingKeys: CodingKey { case id, state, until }
    }

    /// Only what holds now can be put away, so that what is kept is bounded by what there is.
    private func put(_ act: AttentionAct, _ call: Call) async throws -> Response {
        let (site, id) = (try call.site(), call.path("id"))
        let name = call.siteName(site)
        var fields = try FieldReader(await RequestParameters.body(of: call.request))
        let (minutes, reason) = try Self.terms(act, &fields)
        try fields.end()
        let facts = try await reader.read(site: site, named: name).facts
        guard let card = AttentionRule.cards(facts).first(where: { $0.id == id }) else {
            throw ApiProblem.notFound(
                "Nothing called \(id.prefix(128)) needs attention on \(name)."
            )
        }
        let seconds: Int64? =
            switch act {
            case .snooze: minutes * 60
            case .dismiss: nil
            case .done: card.rule.windowSeconds
            }
        let until = try await reader.put(
            card,
            act,
            seconds: seconds,
            reason: reason,
            site: name,
            by: call.caller()
        )
        return try JSONBody.response(
            Put(id: id, state: act.state, until: until.map { RFC3339.text(epochMilliseconds: $0) })
        )
    }

    private static func terms(_ act: AttentionAct, _ fields: inout FieldReader) throws
        -> (minutes: Int64, reason: String?)
    {
        switch act {
        case .done: return (0, nil)
        case .dismiss:
            let reason = try fields.text("reason")
            guard (reason?.unicodeScalars.count ?? 0) <= Limits.attentionReasonMaximum else {
                throw ApiProblem.invalidField(
                    "/reason",
                    "must have at most \(Limits.attentionReasonMaximum) characters"
                )
            }
            return (0, reason)
        case .snooze:
            let most = Int64(Limits.attentionSnoozeMinutesMaximum)
            let minutes = try fields.whole("minutes") ?? Int64(Limits.attentionSnoozeMinutes)
            guard (1...most).contains(minutes) else {
                throw ApiProblem.invalidField("/minutes", "must be 1 to \(most)")
            }
            return (minutes, nil)
        }
    }
}
