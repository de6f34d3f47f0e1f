// Goal: a trend is the slope of the line of least squares through the score over time.
// Method: curves whose slope is known, the same curve told by other points, and a state that only decays.

import Records
import TestSupport
import Testing

@testable import Scoring

struct TrendTests {
    private let hour: Int64 = 3_600_000

    private func line(_ slope: Double, minutes: [Int64]) -> [ScoreTrend.Point] {
        minutes.map { minute in
            ScoreTrend.Point(
                time: Scenes.noon + minute * 60_000,
                score: 20 + slope * Double(minute) / 60
            )
        }
    }

    @Test func aStraightLineHasItsOwnSlopeHoweverItIsTold() throws {
        let many = line(3.5, minutes: Array(0...60))
        let few = line(3.5, minutes: [0, 7, 8, 60])
        for curve in [many, few] {
            let trend = try #require(ScoreTrend(curve, from: Scenes.noon, to: Scenes.noon + hour))
            #expect(abs(trend.pointsPerHour - 3.5) < 1e-6)
            #expect(trend.since == Scenes.noon)
        }
    }

    @Test func aStepWithinOneMomentIsNoNonsense() throws {
        var curve = line(3.5, minutes: [0, 20, 60])
        curve.insert(ScoreTrend.Point(time: curve[1].time, score: 90), at: 1)
        let stepped = try #require(ScoreTrend(curve, from: Scenes.noon, to: Scenes.noon + hour))
        #expect(stepped.pointsPerHour.isFinite)
        let same = line(3.5, minutes: [0, 20, 20, 60])
        let twice = try #require(ScoreTrend(same, from: Scenes.noon, to: Scenes.noon + hour))
        #expect(abs(twice.pointsPerHour - 3.5) < 1e-6)
    }

    @Test func pointsAreNotVotes() throws {
        // Crowded at its flat begin, the curve still rises by what it rises.
        let crowded = line(0, minutes: Array(0...29)) + line(10, minutes: [60])
        let plain = line(0, minutes: [0, 29]) + line(10, minutes: [60])
        let left = try #require(ScoreTrend(crowded, from: 0, to: Scenes.noon + hour))
        let right = try #require(ScoreTrend(plain, from: 0, to: Scenes.noon + hour))
        #expect(abs(left.pointsPerHour - right.pointsPerHour) < 1e-6 && left.pointsPerHour > 5)
    }

    @Test func aWindowCutsTheCurve() throws {
        let curve = line(6, minutes: [-600, 0]) + line(-2, minutes: [0, 60]).dropFirst()
        let trend = try #require(ScoreTrend(curve, from: Scenes.noon, to: Scenes.noon + hour))
        #expect(abs(trend.pointsPerHour - -2) < 1e-6)
    }

    @Test func aMinuteIsTooShort() {
        #expect(ScoreTrend(line(1, minutes: [0]), from: 0, to: Scenes.noon + 59_999) == nil)
        #expect(ScoreTrend([], from: 0, to: Scenes.noon) == nil)
    }

    @Test func whoStaysAwayFalls() throws {
        let state = Scenes.state(Scenes.fold(Persona.checkout.events.map { Scenes.record([$0]) }))
        let time = state.updatedAt + 5 * 86_400_000
        for window in ScoreTrend.Window.allCases {
            let trend = try #require(ScoreTrend(window, [], state, at: time, Scenes.model))
            let begin = max(time - window.rawValue, state.updatedAt)
            let rise =
                state.reading(at: time, Scenes.model).score
                - state.reading(at: begin, Scenes.model).score
            let mean = rise / Double(time - begin) * Double(hour)
            #expect(trend.since == begin && trend.pointsPerHour < 0)
            #expect(abs(trend.pointsPerHour - mean) < 0.4 * abs(mean))
        }
    }
}
