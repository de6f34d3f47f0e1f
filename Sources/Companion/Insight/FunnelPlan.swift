import Foundation
import Settings

/// One thing that a step of a funnel may be.
enum FunnelMark: Sendable, Equatable {
    /// A page view of an address without host and query; `*` stands for anything.
    case page(String)
    /// An event that a page or a server names.
    case event(String)
    case conversion(String)
    /// A form that is begun, or one that is submitted.
    case form(String, isSubmitted: Bool)

    init(_ value: JSONValue, at pointer: String) throws {
        var fields = try FieldReader(value, at: pointer)
        let words = (
            try fields.text("page"), try fields.text("event"), try fields.text("conversion"),
            try fields.text("form")
        )
        let phase = try fields.text("phase")
        try fields.end()
        if let phase, words.3 == nil || !Self.phases.contains(phase) {
            throw ApiProblem.field(
                "invalid-field",
                "\(pointer)/phase",
                "says of a form how far it got",
                Self.phases
            )
        }
        switch words {
        case (let page?, nil, nil, nil): self = .page(page)
        case (nil, let event?, nil, nil): self = .event(event)
        case (nil, nil, let conversion?, nil): self = .conversion(conversion)
        case (nil, nil, nil, let form?): self = .form(form, isSubmitted: phase == "submitted")
        default:
            throw ApiProblem.invalidField(
                pointer,
                "must name one of page, event, conversion and form"
            )
        }
        let bytes = name.utf8.count
        guard (1...Limits.queryFilterValueBytesMaximum).contains(bytes), !name.contains("\0") else {
            throw ApiProblem.invalidField(
                pointer,
                "must hold 1 to \(Limits.queryFilterValueBytesMaximum) bytes of text"
            )
        }
    }

    private static let phases = ["begun", "submitted"]

    var name: String {
        switch self {
        case .page(let name), .event(let name), .conversion(let name), .form(let name, _): name
        }
    }

    var json: JSONValue {
        switch self {
        case .page(let name): ["page": .string(name)]
        case .event(let name): ["event": .string(name)]
        case .conversion(let name): ["conversion": .string(name)]
        case .form(let name, let isSubmitted):
            ["form": .string(name), "phase": isSubmitted ? "submitted" : "begun"]
        }
    }

    var isConversion: Bool { if case .conversion = self { true } else { false } }
}

/// A question about a funnel, understood and checked.
struct FunnelPlan: Sendable {
    /// What may lie between a step and the next.
    enum Order: String, CaseIterable, Sendable {
        case anyBetween = "any_between"
        case strict
    }

    let site: String
    let zone: TimeZone
    /// Each step is any of its marks.
    let steps: [[FunnelMark]]
    let order: Order
    /// How long after the first step the last one still counts.
    let windowSeconds: Int
    /// When the first step has to happen.
    let range: QueryRange
    /// What the event of the first step has to fit.
    let filter: QueryFilter?

    static let windowDefault = "7d"

    /// The question in `body`, whose site has been checked.
    init(_ body: JSONValue, site: String, zone: TimeZone, now: Date) throws {
        var fields = try FieldReader(body)
        _ = fields.value("site")
        (self.site, self.zone) = (site, zone)
        steps = try Self.steps(try fields.elements("steps") ?? [])
        order = try Self.order(try fields.text("order"))
        windowSeconds = try Self.window(try fields.text("window") ?? Self.windowDefault)
        guard let range = fields.value("range") else {
            throw ApiProblem.invalidField("/range", "is missing")
        }
        self.range = try QueryRange(range, now: now, zone: zone)
        filter = try fields.value("filter").map { try QueryFilter($0) }
        try fields.end()
        try checkFit()
    }

    private static func steps(_ list: [JSONValue]) throws -> [[FunnelMark]] {
        guard (1...Limits.funnelStepsMaximum).contains(list.count) else {
            throw ApiProblem.invalidField(
                "/steps",
                "must hold 1 to \(Limits.funnelStepsMaximum) steps"
            )
        }
        return try list.enumerated().map { index, value in
            let marks = value.elements ?? []
            guard (1...Limits.funnelAlternativesMaximum).contains(marks.count) else {
                throw ApiProblem.invalidField(
                    "/steps/\(index)",
                    "must be a list of 1 to \(Limits.funnelAlternativesMaximum) alternatives"
                )
            }
            return try marks.enumerated().map {
                try FunnelMark($1, at: "/steps/\(index)/\($0)")
            }
        }
    }

    private static func order(_ word: String?) throws -> Order {
        guard let word else { return .anyBetween }
        guard let order = Order(rawValue: word) else {
            throw ApiProblem.field(
                "invalid-field",
                "/order",
                "is not known",
                Order.allCases.map(\.rawValue)
            )
        }
        return order
    }

    /// Seconds of a text such as `30m`, `24h` or `7d`.
    private static func window(_ text: String) throws -> Int {
        let units: [Character: Int] = ["m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), text.utf8.count <= 7,
            let count = Int(text.dropLast()), count > 0,
            count * unit <= Limits.funnelWindowSecondsMaximum
        else {
            throw ApiProblem.invalidField("/window", "must be such as 30m, 24h or 7d, at most 90d")
        }
        return count * unit
    }

    private func checkFit() throws {
        for name in filter?.leaves ?? []
        where QueryDimension.named[name]?.expressions[.events] == nil {
            throw ApiProblem.field(
                "incompatible-fields",
                "/filter",
                "names \(name), which events cannot be told by",
                QueryDimension.fitting([.events]).map(\.name),
                status: 422
            )
        }
        // A conversion and the event that it was found in would lie between each other.
        if order == .strict, steps.contains(where: { $0.contains(where: \.isConversion) }) {
            throw ApiProblem.field(
                "incompatible-fields",
                "/order",
                "strict knows pages, events and forms; name the event that the conversion is",
                [Order.anyBetween.rawValue],
                status: 422
            )
        }
    }
}
