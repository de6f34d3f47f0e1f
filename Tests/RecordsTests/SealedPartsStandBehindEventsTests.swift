import Bytes
import Records
import Testing

/// Sealed blocks travel behind the events without disturbing them, and damage to them harms nobody.
struct SealedPartsStandBehindEventsTests {
    private func payload(_ entries: [(SealedParts.Kind, [UInt8])], events: Int) -> [UInt8] {
        var sealed = ByteBuffer(capacity: 16 * 1024)
        for (kind, content) in entries {
            let mark = SealedParts.begin(kind, in: &sealed)
            withView(content) { sealed.append($0) }
            SealedParts.end(mark, in: &sealed)
        }
        var writer = SliceWriter(limit: 1 << 20)
        var head = SliceWriter.Head()
        head.site = ByteView("demo")
        head.visitor = ByteView("visitor")
        writer.begin(head)
        for number in 0..<events {
            writer.beginEvent(
                number: UInt32(number + 1),
                occurredAt: 5,
                kind: .custom,
                flags: .sensitive,
                page: 1,
                name: ByteView("buy")
            )
            writer.buffer.append("{\"a\":1}")
            writer.endEvent()
        }
        let isWhole = writer.finish(eventCount: events, sealed: sealed.view)
        #expect(isWhole)
        return Array(writer.buffer.view.buffer)
    }

    @Test func everyKindIsFoundAgainAndEventsAreWhole() throws {
        var dice = Dice(20_261_121)
        for _ in 0..<500 {
            let entries = SealedParts.Kind.allCases.filter { _ in dice.below(2) == 0 }.map {
                ($0, dice.bytes(1 + dice.below(300)))
            }
            let events = dice.below(4)
            withView(payload(entries, events: events)) { bytes in
                let slice = Slice(bytes)
                #expect(slice?.flags.contains(.sealed) == !entries.isEmpty)
                for kind in SealedParts.Kind.allCases {
                    let expected = entries.first { $0.0 == kind }?.1 ?? []
                    #expect(slice.map { Array($0.sealedParts[kind].buffer) } == expected)
                }
                var seen = 0
                let isSound = slice?.forEachEvent { _, event in
                    seen += event.name.equals("buy") && event.flags.contains(.sensitive) ? 1 : 0
                }
                #expect(isSound == true)
                #expect(seen == events)
            }
        }
    }

    @Test func theLastOfAKindHolds() {
        let bytes = payload([(.identify, [1]), (.identify, [2, 3])], events: 1)
        withView(bytes) { view in
            let found = Slice(view).map { Array($0.sealedParts[.identify].buffer) }
            #expect(found == [2, 3])
        }
    }

    @Test func lengthsThatCannotBeAreRefusedOrEmpty() {
        let whole = payload([(.page, [UInt8](repeating: 9, count: 40))], events: 1)
        for change in 1..<256 {
            for place in [whole.count - 1, whole.count - 2, whole.count - 44] {
                var bytes = whole
                bytes[place] ^= UInt8(change)
                withView(bytes) { view in
                    guard let slice = Slice(view) else { return }
                    for kind in SealedParts.Kind.allCases {
                        #expect(slice.sealedParts[kind].count <= whole.count)
                    }
                }
            }
        }
    }

    @Test func oneThatIsTooLongIsTakenBack() {
        var sealed = ByteBuffer(capacity: 1 << 17)
        let mark = SealedParts.begin(.page, in: &sealed)
        for _ in 0..<70_000 { sealed.append(7) }
        SealedParts.end(mark, in: &sealed)
        let left = sealed.count
        #expect(left == 0)
    }
}
