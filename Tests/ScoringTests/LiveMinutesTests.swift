// Goal: live minutes say exactly what the records said, whatever the order in which clocks let them
// come, live, after recovery and packed away; and they stay within their room.
// Method: random records, folded by the partition's fold and by a plain count over dictionaries that
// shares no code with it; the counters are compared as the JSON that stores get.

import Bytes
import Foundation
import Records
import Scoring
import Settings
import TestSupport
import Testing

/// A minute as a reader of Redis sees it.
struct ToldMinute: Decodable, Equatable {
    var events = 0
    var page_views: Int?
    var sessions: Int?
    var visitors: Int?
    var cold: Int?
    var warm: Int?
    var hot: Int?
    var conversions: Int?
    var value_thousandths: Int?
    var automated_events: Int?
    var channels: [String: Int]?
    var pages: [String: Int]?
    var other_page_views: Int?

    static func all(_ fold: borrowing PartitionFold, after offset: UInt64 = 0) throws
        -> [String: ToldMinute]
    {
        var texts: [String: Data] = [:]
        var json = ByteBuffer(capacity: 4096, limit: 1 << 16)
        _ = fold.forEachMinute(after: offset, json: &json) { site, minute, text in
            texts["\(site.text) \(minute)"] = Data(Array(text.buffer))
            return true
        }
        return try texts.mapValues { try JSONDecoder().decode(ToldMinute.self, from: $0) }
    }
}

/// The same counts, made by a plain walk over the records.
struct PlainCount {
    var minutes: [String: ToldMinute] = [:]
    private var visitors: Set<String> = []
    private var sessions: [String: [String]] = [:]

    mutating func take(_ record: TestRecord, session: String) {
        let counted = record.events.enumerated().filter {
            record.duplicates & (1 << UInt64($0.offset)) == 0
        }.map(\.element)
        guard !counted.isEmpty, record.consent.contains(.measurement) else { return }
        let key = "\(record.site) \(record.receivedAt / 60_000)"
        var minute = minutes[key] ?? ToldMinute()
        defer { minutes[key] = minute }
        if record.flags.contains(.bot) { return minute.automated_events.add(counted.count) }
        minute.events += counted.count
        minute.page_views.add(counted.count { $0.kind == .pageView })
        minute.conversions.add(counted.count { $0.name == "purchase" })
        if visitors.insert(key + record.visitor).inserted { minute.visitors.add(1) }
        let owner = "\(record.site) \(record.visitor)"
        if sessions[owner, default: []].contains(session) { return }
        sessions[owner, default: []] = (sessions[owner] ?? []).suffix(3) + [session]
        minute.sessions.add(1)
    }
}

extension Int? {
    fileprivate mutating func add(_ number: Int) {
        if number != 0 { self = (self ?? 0) + number }
    }
}

struct LiveMinutesTests {
    private func folded(_ records: [TestRecord], _ plain: inout PlainCount) -> PartitionFold {
        var fold = PartitionFold(model: Scenes.model)
        for record in records {
            let effect = Scenes.apply(record.packed(), to: &fold)
            plain.take(record, session: effect?.session.session.text ?? "")
        }
        return fold
    }

    /// Records of some visitors and two sites whose times of arrival jump about within an hour.
    private func crowd(_ dice: inout Dice, _ count: Int) -> [TestRecord] {
        var source = RandomRecords(seed: dice.next())
        return (1...count).map { number in
            var record = TestRecord()
            record.offset = UInt64(number)
            record.site = dice.chance(0.8) ? "demo" : "shop"
            record.visitor = "visitor-\(dice.roll(1...9))"
            record.session = dice.chance(0.1) ? "" : "session-\(dice.roll(1...5))"
            record.consent = dice.chance(0.2) ? [.measurement] : .all
            record.flags = dice.chance(0.1) ? [.bot] : []
            let drift = number * 2_000 + dice.roll(0...(dice.chance(0.1) ? 600_000 : 5_000))
            record.receivedAt = Scenes.noon + Int64(drift)
            record.events = (0...dice.roll(0...3)).map { _ in
                source.event(receivedAt: record.receivedAt, orderFree: false)
            }
            record.duplicates = dice.chance(0.1) ? UInt64(dice.roll(0...15)) : 0
            return record
        }
    }

    @Test func countsAreThoseOfAPlainWalk() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        var compared = 0
        for _ in 0..<50 {
            var plain = PlainCount()
            let fold = folded(crowd(&dice, 300), &plain)
            let told = try ToldMinute.all(fold)
            #expect(told.count == plain.minutes.count, "seed \(seed)")
            for (key, expected) in plain.minutes {
                guard let found = told[key] else { return #expect(Bool(false), "no \(key)") }
                #expect(found.withoutParts == expected, "seed \(seed), \(key)")
                found.checkParts(key)
                compared += 1
            }
        }
        #expect(compared > 500)
    }

    /// A clock that is set to and fro by hours: nobody is counted twice, and nobody is overlooked.
    @Test func clocksThatAreSetDoNoHarm() throws {
        var dice = Dice(seed: 17)
        for jump in [-7_200_000, -3_600_000, 3_600_000, 5_400_000, 86_400_000] {
            var records = crowd(&dice, 300)
            for index in 100..<200 { records[index].receivedAt += Int64(jump) }
            var plain = PlainCount()
            let told = try ToldMinute.all(folded(records, &plain))
            for (key, expected) in plain.minutes { #expect(told[key]?.withoutParts == expected) }
        }
    }

    @Test func whatChangedSinceAnOffsetIsToldAndNothingElse() throws {
        var dice = Dice(seed: 11)
        var plain = PlainCount()
        let records = crowd(&dice, 400)
        let fold = folded(records, &plain)
        let all = try ToldMinute.all(fold)
        for offset in stride(from: UInt64(0), through: 400, by: 40) {
            let later = records.filter { $0.offset > offset }.filter { record in
                record.events.indices.contains { record.duplicates & (1 << UInt64($0)) == 0 }
            }
            let keys = Set(later.map { "\($0.site) \($0.receivedAt / 60_000)" })
            let told = try ToldMinute.all(fold, after: offset)
            #expect(Set(told.keys) == keys)
            for (key, minute) in told { #expect(minute == all[key]) }
        }
    }

    @Test func anyOrderGivesTheSameCounts() throws {
        var dice = Dice(seed: 5)
        var source = RandomRecords(seed: 6)
        var records: [TestRecord] = (1...200).map { number in
            var record = TestRecord()
            record.visitor = "visitor-\(number % 7)"
            record.session = "session-\(number % 7)"
            record.receivedAt = Scenes.noon + Int64(number * 3_000)
            record.events = [source.event(receivedAt: record.receivedAt, orderFree: true)]
            return record
        }
        var first: [String: ToldMinute]?
        for _ in 0..<20 {
            for index in records.indices { records[index].offset = UInt64(index + 1) }
            var plain = PlainCount()
            // A session and a band belong to the record that comes first or last.
            let told = try ToldMinute.all(folded(records, &plain)).mapValues { minute in
                var rest = minute
                (rest.sessions, rest.channels) = (nil, nil)
                (rest.cold, rest.warm, rest.hot) = (nil, nil, nil)
                return rest
            }
            #expect(first == nil || first == told)
            first = told
            records.shuffle(using: &dice)
        }
    }

    @Test func pagesChannelsAndValueAreThoseOfTheEvents() throws {
        let minute = Scenes.noon / 60_000
        func view(_ url: String, _ channel: String) -> TestEvent {
            TestEvent(
                .pageView,
                at: Scenes.noon,
                #"{"u":"https://shop.example\#(url)","ch":"\#(channel)"}"#
            )
        }
        let buy = TestEvent(
            .custom,
            at: Scenes.noon,
            #"{"props":{"currency":"EUR","value":19.995}}"#,
            name: "purchase"
        )
        let long = "/" + String(repeating: "ä", count: 80)
        let records = [
            Scenes.record([view("/pricing?x=1", "email"), view("/", "internal")], offset: 1),
            Scenes.record([view("/pricing/", "direct"), buy, buy], offset: 2),
            Scenes.record(
                [view(long, "paid_search"), view(#"/a\"b\\"#, "nonsense"), view(#"/x\/"#, "")],
                session: "session-2",
                consent: [.measurement],
                offset: 3
            ),
        ]
        let told = try #require(try ToldMinute.all(Scenes.fold(records))["demo \(minute)"])
        #expect(told.channels == ["email": 1, "paid_search": 1])
        #expect(told.pages?["/pricing"] == 2 && told.pages?["/"] == 1)
        #expect(told.pages?[#"/a"b\"#] == 1)
        #expect(told.pages?.keys.contains { $0.hasPrefix("/äää") && $0.utf8.count <= 60 } == true)
        #expect(told.pages?.values.reduce(0, +) == 6)
        #expect(told.conversions == 2 && told.value_thousandths == 39_990)
    }

    @Test func pagesBeyondThoseCountedOneByOneAreCountedTogether() throws {
        let events = (0..<40).map {
            TestEvent(.pageView, at: Scenes.noon, #"{"u":"/p\#($0 % 20)"}"#)
        }
        let told = try #require(
            try ToldMinute.all(Scenes.fold([Scenes.record(events)])).values.first
        )
        #expect(told.pages?.count == 16)
        #expect(told.pages?.values.allSatisfy { $0 == 2 } == true)
        #expect(told.other_page_views == 8 && told.page_views == 40)
    }

    @Test func daysOfManySitesStayWithinTheirRoom() throws {
        var fold = PartitionFold(model: Scenes.model)
        var events = 0
        for number in 0..<60_000 {
            var record = TestRecord()
            record.offset = UInt64(number + 1)
            record.site = "site-\(number % 5)"
            record.visitor = "visitor-\(number % 5)"
            record.receivedAt = Scenes.noon + Int64(number / 10) * 60_000
            record.events = [
                TestEvent(.pageView, at: record.receivedAt, #"{"u":"/page/\#(number)"}"#)
            ]
            _ = Scenes.apply(record.packed(), to: &fold)
            events += 1
        }
        #expect(fold.minuteBytes < 3 * Limits.liveMinuteBytesMaximum)
        #expect(fold.minutesLetGo > 0)
        let told = try ToldMinute.all(fold)
        let last = (Scenes.noon + 5_999 * 60_000) / 60_000
        for back in 0..<Int64(600) {
            for site in 0..<5 { #expect(told["site-\(site) \(last - back)"]?.events == 2) }
        }
        let oldest = told.keys.compactMap { $0.split(separator: " ").last.flatMap { Int64($0) } }
        #expect(last - (oldest.min() ?? 0) <= Int64(Limits.liveMinutesKept) + 2)
        let bytes = Scenes.serialized(fold)
        #expect(try Scenes.serialized(Scenes.deserialized(bytes)) == bytes)
    }

    @Test func aCheckpointBeforeLiveMinutesIsFoldedOnFrom() throws {
        let data = try #require(Data(base64Encoded: Self.versionOne))
        var fold = try PartitionFold.reading(Array(data))
        #expect(fold.offset == 2 && fold.visitorCount == 2)
        #expect(try ToldMinute.all(fold).isEmpty)
        var record = TestRecord()
        record.offset = 3
        record.events = [TestEvent(.pageView, at: record.receivedAt, #"{"u":"/"}"#)]
        _ = Scenes.apply(record.packed(), to: &fold)
        #expect(try ToldMinute.all(fold).values.map(\.events) == [1])
    }

    /// Two visitors with a page view each, as the release before live minutes wrote them.
    private static let versionOne = """
        SEdTQwEAAADMlqiyPsIFWgIAAAAAAAAAAQAAAARkZW1vAgAAAAl2aXNpdG9yLTEAAABsUMSgAQAAAAAAAAAAAAAA
        AHAAAQAAAAAAcAAAAgAAAAAAAAAA+D8AAAAAAADwP2ZmZmZmZtY/ZmZmZmZm1j/4Ex1pAkpO2AAAAAAAAAAAAAAA
        AAAAAAAAAAAAAAAAAAAAAAABAAAAAgABAAABWWopLPgTHWkCSk7YAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
        AAAAAAAAAAAAAAAAAABsUMSgAQAAAGxQxKABAAABAAAAAAAAAAAAAAAAAAAAVS4vnWyPJUABAAAAAAl2aXNpdG9y
        LTIAAABsUMSgAQAAAAAAAAAAAAAAAHAAAQAAAAAAcAAAAgAAAAAAAAAA+D8AAAAAAADwP2ZmZmZmZtY/ZmZmZmZm
        1j/4Ex1pAkpO2AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAgABAAABWWopLPgTHWkCSk7YAAAAAAAA
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABsUMSgAQAAAGxQxKABAAACAAAAAAAAAAAAAAAAAAAA
        VS4vnWyPJUABAAAAAA==
        """.filter { !$0.isWhitespace }
}

extension PartitionFold {
    /// Reads a checkpoint whatever its fold rules: the scoring file may change after a fixture was made.
    fileprivate static func reading(_ bytes: [UInt8]) throws -> PartitionFold {
        var buffer = ByteBuffer(capacity: bytes.count + 16)
        for byte in bytes { buffer.append(byte) }
        return try PartitionFold(
            deserializing: buffer.view,
            model: Scenes.model,
            keepingOldSums: true
        )
    }
}

extension ToldMinute {
    /// Without what the plain walk does not know.
    fileprivate var withoutParts: ToldMinute {
        var rest = self
        (rest.cold, rest.warm, rest.hot) = (nil, nil, nil)
        (rest.channels, rest.pages, rest.other_page_views) = (nil, nil, nil)
        rest.value_thousandths = nil
        return rest
    }

    /// Parts add up to their wholes.
    fileprivate func checkParts(_ key: String) {
        #expect((channels?.values.reduce(0, +) ?? 0) == sessions ?? 0, "\(key)")
        let views = (pages?.values.reduce(0, +) ?? 0) + (other_page_views ?? 0)
        #expect(views == page_views ?? 0, "\(key)")
        #expect((cold ?? 0) + (warm ?? 0) + (hot ?? 0) <= visitors ?? 0, "\(key)")
    }
}
