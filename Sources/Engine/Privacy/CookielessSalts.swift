public import Bytes
import Synchronization
import Units

/// The random salts that names without cookies are made with: today's, and yesterday's for visits
/// that run over midnight. They are drawn, not derived, so that nobody can make them again once they
/// are gone; the older one goes at the next midnight, before it is 48 hours old.
public final class CookielessSalts: Sendable {
    /// Bytes of a salt.
    public static let saltBytes = 32

    /// The salts of a day and the day before.
    public struct Pair: Sendable, Equatable {
        /// Days since 1970-01-01, UTC.
        public var day: Int64
        /// The salt of `day`.
        public var today: [UInt8]
        /// The salt of the day before; empty when there is none.
        public var yesterday: [UInt8]

        /// Salts from their parts.
        public init(day: Int64, today: [UInt8], yesterday: [UInt8]) {
            (self.day, self.today, self.yesterday) = (day, today, yesterday)
        }

        static func fresh(_ day: Int64, yesterday: [UInt8]) -> Pair {
            var generator = SystemRandomNumberGenerator()
            let salt = (0..<CookielessSalts.saltBytes).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            return Pair(day: day, today: salt, yesterday: yesterday)
        }
    }

    private let pair: Mutex<Pair>
    private let keep: @Sendable (Pair) -> Void

    /// Goes on with `known`, such as what a file held. `keep` hears of new salts before any name is
    /// made with them, on whichever thread asked first.
    public init(_ known: Pair? = nil, keep: @escaping @Sendable (Pair) -> Void = { _ in }) {
        pair = Mutex(known ?? Pair(day: .min, today: [], yesterday: []))
        self.keep = keep
    }

    /// The salts of `day`, or of a later one that has begun: days are never gone back to.
    public func pair(day: Int64) -> Pair {
        pair.withLock { held in
            guard day > held.day else { return held }
            let isNext = held.day == day &- 1
            held = .fresh(day, yesterday: isNext ? held.today : [])
            keep(held)
            return held
        }
    }
}

extension CookielessSalts.Pair {
    private static let magic: UInt32 = 0x3153_4748

    /// The pair as a file holds it: `HGS1`, day, both salts (zeros for none), CRC-32C.
    public var bytes: [UInt8] {
        var buffer = ByteBuffer(capacity: 128)
        buffer.append(littleEndian: Self.magic)
        buffer.append(littleEndian: day)
        let none = [UInt8](repeating: 0, count: CookielessSalts.saltBytes)
        for byte in today + (yesterday.isEmpty ? none : yesterday) { buffer.append(byte) }
        buffer.append(littleEndian: buffer.view.crc32c())
        return unsafe Array(buffer.view.buffer)
    }

    /// Reads what `bytes` made; nil for anything else.
    public init?(_ bytes: ByteView) {
        let size = CookielessSalts.saltBytes
        guard bytes.count == 16 + 2 * size, bytes.load(UInt32.self, at: 0) == Self.magic,
            bytes[0..<12 + 2 * size].crc32c() == bytes.load(UInt32.self, at: 12 + 2 * size)
        else { return nil }
        let yesterday = unsafe Array(bytes[12 + size..<12 + 2 * size].buffer)
        self.init(
            day: bytes.load(Int64.self, at: 4),
            today: unsafe Array(bytes[12..<12 + size].buffer),
            yesterday: yesterday.allSatisfy { $0 == 0 } ? [] : yesterday
        )
    }
}
