/// One of the two loads that budgets are stated for.
public struct Load: Sendable {
    /// `plain` or `real`.
    public let name: String
    /// The bodies.
    public let templates: [Template]
    /// What a visitor sends, turn by turn, again and again.
    let turns: [Turn]

    /// One batch in a visit.
    struct Turn {
        var template: UInt16
        /// A new page is opened: page time starts again, parts count from 0.
        var opensPage = false
        /// The batch holds a page summary.
        var summarises = false
        /// Page time that goes by before it.
        var milliseconds: UInt32
    }

    /// Batches of ten small custom events, about 1.3 KB.
    public static func plain() throws(Template.Failure) -> Load {
        Load(
            name: "plain",
            templates: [try Template(BeaconTexts.plain)],
            turns: [Turn(template: 0, milliseconds: 5_000)]
        )
    }

    /// The SDK's own mix: one to four events, page summaries of about half a kilobyte.
    public static func real() throws(Template.Failure) -> Load {
        let texts = [
            BeaconTexts.landing, BeaconTexts.heartbeat, BeaconTexts.looking, BeaconTexts.turning,
            BeaconTexts.starting, BeaconTexts.submitting,
        ]
        var templates: [Template] = []
        for text in texts { templates.append(try Template(text)) }
        return Load(name: "real", templates: templates, turns: visit)
    }

    /// Some batches in the load's own proportions, to see how long they are.
    public func sampleRecipes() -> [Recipe] {
        (0..<(turns.count * 32)).map { index in
            let turn = turns[index % turns.count]
            return Recipe(
                visitor: UInt32(index),
                template: turn.template,
                eventCount: UInt16(templates[Int(turn.template)].eventCount),
                firstEvent: 9,
                number: 4,
                page: 2,
                part: 1,
                clockMilliseconds: turn.milliseconds,
                madeAtEpochMilliseconds: 0,
                identity: UInt64(index)
            )
        }
    }

    private static let visit = [
        Turn(template: 0, opensPage: true, milliseconds: 420),
        Turn(template: 1, summarises: true, milliseconds: 15_000),
        Turn(template: 2, summarises: true, milliseconds: 15_000),
        Turn(template: 3, summarises: true, milliseconds: 9_000),
        Turn(template: 0, opensPage: true, milliseconds: 510),
        Turn(template: 4, summarises: true, milliseconds: 15_000),
        Turn(template: 1, summarises: true, milliseconds: 15_000),
        Turn(template: 5, summarises: true, milliseconds: 30_000),
    ]
}
