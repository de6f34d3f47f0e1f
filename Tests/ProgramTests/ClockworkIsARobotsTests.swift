import Testing

/// Events like clockwork are a sign that shows only when they have been read; with another sign it
/// makes a robot where the site masks robots, and nowhere else.
struct ClockworkIsARobotsTests {
    private func events(irregular: Bool) -> String {
        (1...12).map { number in
            let offset = number * 100 + (irregular && number % 3 == 0 ? 70 : 0)
            return #"{"t":"cu","n":\#(number),"o":\#(offset),"name":"tick"}"#
        }.joined(separator: ",")
    }

    @Test(arguments: [(false, true), (true, false)])
    func oneSignMoreMakesARobot(_ irregular: Bool, _ isRobot: Bool) throws {
        let route = RouteUnderTest()
        let body = beacon(
            [("st", "\(receivedAt)"), ("mt", "5000"), ("x", #"{"wd":1}"#)],
            events: events(irregular: irregular)
        )
        let slice = try #require(route.take(body).slice)
        #expect(slice.flags.contains(.bot) == isRobot)
        #expect(slice.events.count == 12)
    }

    /// The headers of a replay are our own: they are no sign of who made the events.
    @Test func aReplayIsNotJudgedByItsOwnHeaders() throws {
        let body = beacon([("mt", "5000")], events: events(irregular: false))
        var request = Request(origin: "", language: "", hasUsualHeaders: false)
        let live = try #require(RouteUnderTest().take(body, request).slice)
        #expect(live.flags.contains(.bot))
        request.isReplay = true
        let replayed = try #require(RouteUnderTest().take(body, request).slice)
        #expect(!replayed.flags.contains(.bot))
    }

    /// A past that is brought in says so in every event.
    @Test func historyIsMarked() throws {
        let body = beacon([("mt", "5000")], events: events(irregular: false))
        var request = Request(origin: "", language: "", hasUsualHeaders: false)
        (request.isReplay, request.isHistory) = (true, true)
        let past = try #require(RouteUnderTest().take(body, request).slice)
        #expect(past.events.map(\.isHistory) == Array(repeating: true, count: 12))
        request.isHistory = false
        let replayed = try #require(RouteUnderTest().take(body, request).slice)
        #expect(replayed.events.map(\.isHistory) == Array(repeating: false, count: 12))
    }

    @Test func clockworkAloneDoesNot() throws {
        let body = beacon([("mt", "5000")], events: events(irregular: false))
        #expect(try #require(RouteUnderTest().take(body).slice).flags.contains(.bot) == false)
    }
}
