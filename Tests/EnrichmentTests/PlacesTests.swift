import Bytes
import Enrichment
import Foundation
import Settings
import TestSupport
import Testing
import Units

/// Where addresses lie, from a database made here.
@Suite struct PlacesTests {
    private static func maker() -> DatabaseMaker {
        var maker = DatabaseMaker()
        maker.add(
            [192, 0, 2, 0],
            prefix: 24,
            DatabaseMaker.city("DE", region: "BE", city: "Berlin")
        )
        maker.add([198, 51, 100, 0], prefix: 24, .map([("country", .text("FR"))]))
        maker.add(
            [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 12),
            prefix: 32,
            DatabaseMaker.city("JP", region: "13", city: "Tōkyō \"23\"")
        )
        return maker
    }

    private static let mapped: [UInt8] =
        [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 9]

    @Test(
        arguments: [
            ([192, 0, 2, 255], #""co":"DE","rg":"BE","ci":"Berlin""#),
            ([192, 0, 3, 0], ""), ([192, 0, 1, 255], ""),
            ([198, 51, 100, 1], #""co":"FR""#),
            (mapped, #""co":"DE","rg":"BE","ci":"Berlin""#),
            (
                [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 7, count: 12),
                #""co":"JP","rg":"13","ci":"Tōkyō \"23\"""#
            ),
            ([UInt8](repeating: 1, count: 16), ""), ([], ""), ([1, 2, 3], ""),
        ] as [([UInt8], String)]
    )
    func networksHaveEdges(_ address: [UInt8], _ members: String) throws {
        let folder = try TemporaryFolder()
        let database = try GeoDatabase(path: folder.write("city.mmdb", Self.maker().bytes))
        #expect(database.type == "Test-City")
        #expect(database.builtAt == 1_700_000_000)
        let text = written { buffer in
            buffer.append("{")
            withView(address) { database.appendPlace($0, into: &buffer) }
        }
        #expect(text == "{" + members)
    }

    @Test func anotherDatabaseIsTakenWithoutWhatTheOldOneSaid() throws {
        let folder = try TemporaryFolder()
        var other = DatabaseMaker()
        other.add([192, 0, 2, 0], prefix: 24, DatabaseMaker.city("US", region: "NY", city: "Troy"))
        var enricher = Enricher(words: Samples.words, key: .random())
        #expect(country(&enricher) == nil)
        enricher.geo = try GeoDatabase(path: folder.write("a.mmdb", Self.maker().bytes))
        #expect(country(&enricher) == "DE")
        #expect(country(&enricher) == "DE")
        enricher.geo = try GeoDatabase(path: folder.write("b.mmdb", other.bytes))
        #expect(country(&enricher) == "US")
        enricher.geo = nil
        #expect(country(&enricher) == nil)
    }

    @Test(arguments: [(PlaceDetail.country, ["co"]), (.region, ["co", "rg"])])
    func noMoreOfAPlaceIsKeptThanConsentAllows(_ detail: PlaceDetail, _ keys: [String]) throws {
        let folder = try TemporaryFolder()
        var enricher = Enricher(words: Samples.words, key: .random())
        enricher.geo = try GeoDatabase(path: folder.write("a.mmdb", Self.maker().bytes))
        for address in [
            [192, 0, 2, 7], [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 7, count: 12),
        ] {
            for detail in [PlaceDetail.city, detail] {
                var context = ByteBuffer(capacity: 1024, limit: 2048)
                withView(Samples.chrome) { agent in
                    withView(address as [UInt8]) { address in
                        var facts = Samples.request(agent)
                        facts.address = address
                        facts.placeDetail = detail
                        _ = enricher.enrich(facts, into: &context)
                    }
                }
                let known = Samples.object(context.view.text)
                let found = ["co", "rg", "ci"].filter { known?[$0] != nil }
                #expect(found == (detail == .city ? ["co", "rg", "ci"] : keys))
            }
        }
    }

    @Test func aCountryIsToldAlone() throws {
        let folder = try TemporaryFolder()
        var enricher = Enricher(words: Samples.words, key: .random())
        var buffer = ByteBuffer(capacity: 64, limit: 1024)
        withView([192, 0, 2, 7] as [UInt8]) { enricher.appendCountry($0, into: &buffer) }
        #expect(buffer.count == 0)
        enricher.geo = try GeoDatabase(path: folder.write("a.mmdb", Self.maker().bytes))
        for (address, country) in [
            ([192, 0, 2, 7], "DE"), ([198, 51, 100, 1], "FR"), ([9, 9, 9, 9], ""),
        ] as [([UInt8], String)] {
            buffer.reset()
            withView(address) { enricher.appendCountry($0, into: &buffer) }
            #expect(buffer.view.text == country)
        }
    }

    private func country(_ enricher: inout Enricher) -> String? {
        var context = ByteBuffer(capacity: 1024, limit: 2048)
        withView(Samples.chrome) { agent in
            withView([192, 0, 2, 7] as [UInt8]) { address in
                var facts = Samples.request(agent)
                facts.address = address
                _ = enricher.enrich(facts, into: &context)
            }
        }
        return Samples.object(context.view.text)?["co"] as? String
    }

    @Test func whatIsNoDatabaseIsRefusedByName() throws {
        let folder = try TemporaryFolder()
        let whole = Self.maker().bytes
        let files = [
            try folder.write("empty.mmdb", []), try folder.write("text.mmdb", Array("hello".utf8)),
            try folder.write("cut.mmdb", Array(whole.prefix(whole.count - 40))),
            folder.path + "/none.mmdb",
        ]
        for file in files {
            do {
                _ = try GeoDatabase(path: file)
                Issue.record("opened \(file)")
            } catch {
                #expect("\(error)".contains(file + ":1: no MaxMind database: "))
            }
        }
    }

    /// Whatever a damaged file says, what is written stays an object.
    @Test func damagedDatabasesDoNoHarm() throws {
        let folder = try TemporaryFolder()
        var dice = Dice(seed: 9)
        for round in 0..<200 {
            var bytes = Self.maker().bytes
            for _ in 0..<dice.roll(1...12) {
                bytes[dice.roll(0...bytes.count - 1)] = UInt8(truncatingIfNeeded: dice.next())
            }
            let path = try folder.write("\(round).mmdb", bytes)
            guard let database = try? GeoDatabase(path: path) else { continue }
            for address in [[192, 0, 2, 1], [198, 51, 100, 1], Self.mapped] as [[UInt8]] {
                let text = written { buffer in
                    buffer.append("{")
                    withView(address) { database.appendPlace($0, into: &buffer) }
                }
                if Samples.object(text + "}") == nil { Issue.record("\(round): \(text)") }
            }
        }
    }
}
