/// One part of what the SDK sums up of a page: how somebody of a manner was on it, as the arrays of a `ps`
/// event. The spec of their places is in Sources/Engine/Scoring/README.md.
struct DemoSummary {
    /// A section and how long it was looked at, seconds.
    struct Look {
        let index: Int
        let section: DemoSection
        let seconds: Double
        let isLookedFor: Bool
    }

    let page: DemoPage
    let manner: DemoManner
    let looks: [Look]
    let isTouch: Bool
    /// This part is one of so many of the page view, and the parts are alike.
    let part: Int
    let parts: Int
    /// Clicks after which nothing happened.
    var deadClicks = 0
    /// What the incident does to those who press the button.
    var errorClicks = 0

    var activeSeconds: Double { looks.reduce(1) { $0 + $1.seconds } }
    var elapsedSeconds: Double { activeSeconds / max(0.1, min(1, manner.attention)) }

    /// The event's own members.
    func members(_ dice: inout DemoDice) -> String {
        let clicks = dice.count(dice.about(manner.clicksPerMinute) * activeSeconds / 60)
        let keys = dice.count(manner.keyActionsPerPage / Double(parts))
        var members = ["\"q\":\(part)", "\"vz\":" + visibility(&dice), "\"sc\":" + scroll(&dice)]
        members.append("\"S\":[" + sections(&dice).joined(separator: ",") + "]")
        members.append("\"rd\":" + reading(&dice))
        if isTouch {
            members.append("\"tp\":" + touch(&dice))
        } else {
            members.append("\"mo\":" + mouse(clicks, &dice))
        }
        if keys > 0 { members.append("\"kb\":[0,0,0,0,0,\(keys),0,0]") }
        members.append("\"ck\":" + clicking(clicks, &dice))
        if !page.button.isEmpty { members.append("\"ct\":[" + button(&dice) + "]") }
        members.append("\"pt\":" + progress(clicks + keys))
        return members.joined(separator: ",")
    }

    private func list(_ numbers: [Double]) -> String {
        "[" + numbers.map { String(Int($0.rounded())) }.joined(separator: ",") + "]"
    }

    private func visibility(_ dice: inout DemoDice) -> String {
        let (active, elapsed) = (activeSeconds * 1_000, elapsedSeconds * 1_000)
        let aways = dice.count(manner.awaysPerPage / Double(parts))
        let away = Double(aways) * dice.about(9_000)
        let visible = max(active, elapsed - away)
        return list([visible, visible, active, Double(aways), 0, away, Double(aways), elapsed])
    }

    private func scroll(_ dice: inout DemoDice) -> String {
        let pixels = dice.about(manner.scrollPixelsPerSecond) * activeSeconds
        let pauses = dice.count(dice.about(manner.pausesPerMinute) * activeSeconds / 60)
        let depth = min(100, Double(looks.count) / Double(page.sections.count) * 100)
        let back = pixels * min(0.6, dice.about(manner.backShare))
        return list([
            pixels, activeSeconds * 350, manner.scrollPixelsPerSecond * 3, back, Double(pauses),
            Double(pauses / 3), Double(Int(back / 400)), depth,
        ])
    }

    private func sections(_ dice: inout DemoDice) -> [String] {
        looks.map { look in
            let revisits = look.isLookedFor ? dice.count(manner.revisitsPerLookedFor) : 0
            return "[\(look.index),\"\(look.section.category)\",\(part == 1 ? 1 : 0),"
                + "\(Int(look.seconds * 1_000)),\(dice.number(70...100)),\(look.section.words),"
                + "\(dice.count(0.15)),\(revisits)]"
        }
    }

    private func reading(_ dice: inout DemoDice) -> String {
        let words = looks.reduce(0) { $0 + $1.section.words } / parts
        let expected = Double(words) / 238 * 60_000
        let credited = expected * min(1, dice.about(manner.reads))
        let looked = looks.reduce(0) { $0 + $1.seconds } * 1_000
        return list([
            credited, expected, Double(dice.number(10...60)), Double(dice.number(0...40)),
            manner.reads * 100, looked,
        ])
    }

    private func mouse(_ clicks: Int, _ dice: inout DemoDice) -> String {
        let seconds = activeSeconds * 0.45
        let straight = min(99, max(45, dice.about(manner.straightPercent, spread: 0.05)))
        return list([
            seconds * 20, seconds * 420, seconds * 1_000, straight, Double(max(1, clicks)),
            dice.about(manner.flipsPerMinute) * seconds / 60,
            dice.about(manner.hesitationsPerMinute) * seconds / 60,
            dice.about(manner.peaksPerMove, spread: 0.1) * 10, 62, 0,
        ])
    }

    private func touch(_ dice: inout DemoDice) -> String {
        let gestures = dice.count(dice.about(manner.gesturesPerPage) / Double(parts))
        let pinches = gestures / 4
        return list([
            Double(dice.number(1...4)), Double(gestures - pinches), 1, Double(pinches), 0, 0, 480,
            0,
        ])
    }

    private func clicking(_ clicks: Int, _ dice: inout DemoDice) -> String {
        let decisive = (0..<clicks).count { _ in dice.chance(manner.decisive) }
        let rage = errorClicks > 2 ? 1 : 0
        return list([
            Double(clicks + deadClicks + errorClicks), Double(clicks), Double(decisive),
            Double(rage),
            Double(deadClicks), Double(errorClicks), dice.about(2_600, spread: 0.5),
            manner.decisive > 0.7 ? 320 : 900,
        ])
    }

    private func button(_ dice: inout DemoDice) -> String {
        let hover = dice.about(manner.hoverMilliseconds) / Double(parts)
        let retreats = dice.count(manner.retreatsPerPage / Double(parts))
        let inView = activeSeconds * 300
        return list([0, hover, Double(1 + retreats), 0, inView, Double(retreats)])
    }

    /// What the page came to after this part and before it; parts are alike.
    private func progress(_ actions: Int) -> String {
        func state(_ parts: Int) -> [Double] {
            if parts == 0 { return [0, 0, 0, 0] }
            let depth = min(1, Double(looks.count) / Double(page.sections.count))
            return [
                activeSeconds * 1_000 * Double(parts), depth * 100, Double(looks.count),
                Double(actions * parts),
            ]
        }
        return list(state(part) + state(part - 1))
    }
}
