import BenchLoad
import Bytes
import Foundation
import Journal
import Loop
import Records
import Rings
import Scoring
import Settings
import Units
import Wire

/// The stages that are measured, each over the same requests.
enum Stages {
    /// One stage: what it is called, and one round of it.
    struct Entry {
        let name: String
        let title: String
        /// What its figures are for each of.
        let unit: String
        let measure: (Meter) throws -> Reading
        var end: () -> Void = {}
    }

    /// The reference first.
    static func all(batches: Int, scoring: String) throws -> [Entry] {
        let plain = Bodies(try Load.plain())
        let real = Bodies(try Load.real())
        plain.make(batches)
        real.make(batches)
        let model = ScoringModel(try ScoringFile.load(path: scoring))
        return [
            reference(plain), parser(plain), json(plain),
            decoder("decoder-plain", "ten custom events decoded", plain),
            decoder("decoder-real", "the SDK's mix decoded", real),
            ring(plain),
        ] + (try journal(batches)) + [
            fold("fold-plain", "ten custom events folded", try Load.plain(), model, batches),
            fold("fold-real", "the SDK's mix folded", try Load.real(), model, batches),
        ]
    }

    /// Times `body`, which returns the units of work it did.
    static func timed(
        _ meter: Meter,
        _ name: String,
        expected: Int,
        _ body: () -> Int
    ) throws -> Reading {
        let before = meter.instructions()
        let begun = meter.nanoseconds()
        let done = body()
        let nanoseconds = meter.nanoseconds() - begun
        let after = meter.instructions()
        guard done == expected, expected > 0 else {
            throw WrongWork(stage: name, expected: expected, done: done)
        }
        var reading = Reading(nanoseconds: Double(nanoseconds) / Double(done))
        if let before, let after { reading.instructions = Double(after - before) / Double(done) }
        return reading
    }

    /// Loads, compares and multiplications in a chain, over the bytes that the stages read.
    private static func reference(_ bodies: Bodies) -> Entry {
        Entry(
            name: "reference",
            title: "the same requests' words mixed one after another",
            unit: "request"
        ) { meter in
            try timed(meter, "reference", expected: bodies.count) {
                let hash = (0..<bodies.count).reduce(UInt64(1)) { mix(bodies.request($1), $0) }
                return hash == 0 ? 0 : bodies.count
            }
        }
    }

    @inline(never)
    private static func mix(_ bytes: ByteView, _ start: UInt64) -> UInt64 {
        var hash = start
        var position = 0
        while position &+ 8 <= bytes.count {
            hash = mixed(hash ^ bytes.load(UInt64.self, at: position))
            position &+= 8
        }
        return hash | 1
    }

    private static func parser(_ bodies: Bodies) -> Entry {
        Entry(name: "parser", title: "a request's head parsed", unit: "request") { meter in
            try timed(meter, "parser", expected: bodies.count) {
                (0..<bodies.count).reduce(0) { count, index in
                    if case .complete = RequestParser.parse(bodies.request(index)) {
                        return count &+ 1
                    }
                    return count
                }
            }
        }
    }

    private static func json(_ bodies: Bodies) -> Entry {
        Entry(name: "json", title: "a body's grammar checked", unit: "batch") { meter in
            try timed(meter, "json", expected: bodies.count) {
                (0..<bodies.count).reduce(0) { count, index in
                    var cursor = JSONCursor(bodies.body(index))
                    return (try? cursor.skip()) == nil ? count : count &+ 1
                }
            }
        }
    }

    private static func decoder(_ name: String, _ title: String, _ bodies: Bodies) -> Entry {
        Entry(name: name, title: title, unit: "event") { meter in
            try timed(meter, name, expected: bodies.events) {
                (0..<bodies.count).reduce(0) { count, index in
                    guard let beacon = BeaconDecoder.decodeFront(bodies.body(index)) else {
                        return count
                    }
                    return count &+ decoded(beacon.events)
                }
            }
        }
    }

    private static func decoded(_ events: ByteView) -> Int {
        var reader = BeaconEventReader(events)
        var count = 0
        while let outcome = reader.next() { if case .success = outcome { count &+= 1 } }
        return reader.isSound() ? count : 0
    }

    /// Pushed and drained by one thread: what the ring itself costs, without waiting for another.
    private static func ring(_ bodies: Bodies) -> Entry {
        let box = RingBox(capacity: 4 << 20)
        return Entry(name: "ring", title: "a message of 1.3 KB pushed and drained", unit: "message")
        { meter in
            try timed(meter, "ring", expected: bodies.count) {
                (0..<bodies.count).reduce(0) { $0 &+ box.pass(bodies.request($1)) }
            }
        }
    }

    /// Both ends of a ring in a place of their own, because they cannot be copied.
    private final class RingBox {
        private var ends: ByteRing.Endpoints

        init(capacity: Int) { ends = ByteRing.make(capacity: capacity) }

        func pass(_ bytes: ByteView) -> Int {
            guard ends.producer.push(kind: 1, first: 1, second: 2, third: 3, body: bytes) else {
                return 0
            }
            return ends.consumer.drain(limit: 1) { _ in }
        }
    }

    /// Slices are new in every round, so nothing that is folded was folded before.
    private static func fold(
        _ name: String,
        _ title: String,
        _ load: Load,
        _ model: ScoringModel,
        _ batches: Int
    ) -> Entry {
        let bodies = Bodies(load)
        let slices = Slices()
        let box = FoldBox(model)
        return Entry(name: name, title: title, unit: "event") { meter in
            bodies.make(batches)
            slices.make(bodies)
            return try timed(meter, name, expected: bodies.events) {
                (0..<slices.count).reduce(0) { $0 &+ box.fold(slices.payload($1)) }
            }
        }
    }

    private final class FoldBox {
        private var fold: PartitionFold
        private var offset: UInt64 = 0

        init(_ model: ScoringModel) { fold = PartitionFold(model: model) }

        func fold(_ payload: ByteView) -> Int {
            guard let slice = Slice(payload) else { return 0 }
            offset &+= 1
            var header = RecordHeader(
                kind: .slice,
                partition: Partition(0),
                receivedAt: Bodies.epochMilliseconds(),
                payload: payload
            )
            (header.offset, header.sequence) = (offset, offset)
            return fold.apply(header, slice).map { Int($0.eventsFolded) } ?? 0
        }
    }
}
