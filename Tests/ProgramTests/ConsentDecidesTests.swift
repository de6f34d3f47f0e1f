import Records
import Telemetry
import Testing

@testable import heliograph

/// What a visitor has not agreed to does not happen, whatever else the beacon says.
@Suite struct ConsentDecidesTests {
    private let route = RouteUnderTest()

    @Test(arguments: ["0", "2", "62"])
    func withoutMeasurementNothingIsKeptAndNothingIsWrong(_ bits: String) {
        #expect(route.take(beacon([("c", bits)])) == .nothing)
        #expect(route.counters.count(.eventWithoutConsent) == 1)
        #expect(route.counters.count(.eventsReceived) == 0)
    }

    @Test func withoutAnIDOnTheDeviceTheVisitorIsTheSession() throws {
        let slice = try #require(route.take(beacon([("c", "1")])).slice)
        #expect(slice.visitor == "session-0123456789abc")
        #expect(slice.flags == [.withoutDevice])
        #expect(slice.texts["user"] == "")
    }

    @Test func withoutASessionTheVisitorIsTheTab() throws {
        let slice = try #require(route.take(beacon([("c", "1"), ("s", nil)])).slice)
        #expect(slice.visitor == "window-0123456789abcd")
        #expect(slice.texts["session"] == "")
    }

    @Test(arguments: [#""undefined""#, #""0000000000000000000000""#, #""short""#, "\"\""])
    func anUnusableDeviceIDIsNone(_ device: String) throws {
        let slice = try #require(route.take(beacon([("d", device)])).slice)
        #expect(slice.visitor == "session-0123456789abc")
        #expect(slice.flags == [.withoutDevice])
    }

    @Test func aUserIDNeedsLinking() throws {
        for (bits, user) in [("3", ""), ("11", "user-1"), ("55", "")] {
            let slice = try #require(route.take(beacon([("c", bits)])).slice)
            #expect(slice.texts["user"] == user)
            #expect("\(slice.consent)" == bits)
        }
    }

    @Test func anUnusableUserIDIsDropped() throws {
        for user in [#""jane@example.com""#, #""undefined""#, "\"\""] {
            let slice = try #require(route.take(beacon([("u", user)])).slice)
            #expect(slice.texts["user"] == "")
        }
    }

    @Test func aPrivacyControlOverrulesThePage() throws {
        let slice = try #require(
            route.take(beacon(), Request(hasPrivacyControl: true)).slice
        )
        #expect(slice.consent == 3)
        #expect(slice.texts["user"] == "")
    }

    @Test func aBeaconWithoutBitsTakesTheSitesDefault() throws {
        #expect(try #require(route.take(beacon([("c", nil)])).slice).consent == 3)
        let open = beacon([("c", nil), ("k", #""key-open""#)])
        #expect(try #require(route.take(open).slice).consent == 1)
    }

    @Test(arguments: ["", "curl/8.5.0", "Mozilla/5.0 (compatible; Googlebot/2.1)"])
    func robotsAreMaskedWhereTheSiteDoesNotCountThem(_ userAgent: String) throws {
        let request = Request(userAgent: userAgent)
        #expect(try #require(route.take(beacon(), request).slice).flags.contains(.bot))
        let open = beacon([("k", #""key-open""#)])
        #expect(try #require(route.take(open, request).slice).flags.contains(.bot) == false)
    }

    /// One sign alone makes a suspect; with another it makes a robot.
    @Test(arguments: [("1", true), ("true", true), ("0", false), ("false", false)])
    func aDrivenBrowserIsSuspectAndWithAnotherSignARobot(
        _ driven: String,
        _ isSuspect: Bool
    ) throws {
        let body = beacon([("x", "{\"wd\":\(driven)}")])
        let alone = try #require(route.take(body).slice)
        #expect(alone.flags.contains(.bot) == false)
        #expect(alone.texts["context"]?.contains("\"bs\":70") == isSuspect)
        let without = try #require(route.take(body, Request(language: "")).slice)
        #expect(without.flags.contains(.bot) == isSuspect)
    }
}
