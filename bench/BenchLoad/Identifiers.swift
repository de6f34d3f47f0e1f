/// Mixes a counter into 64 well spread bits (the finaliser of Steele, Lea and Flood's SplitMix).
@inlinable
@inline(__always)
public func mixed(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9e37_79b9_7f4a_7c15
    bits = (bits ^ (bits &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits &>> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits &>> 31)
}

/// A small random generator whose whole state is a counter, so that a batch can be made again
/// byte for byte from the number it started with.
public struct SplitMix: RandomNumberGenerator, BitwiseCopyable, Sendable {
    @usableFromInline var state: UInt64

    /// Starts at `seed`.
    @inlinable
    public init(seed: UInt64) { state = seed }

    /// The next 64 random bits.
    @inlinable
    @inline(__always)
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return mixed(state)
    }

    /// A number below `bound`, which must not be 0. The bias is below 2^-32 for small bounds.
    @inlinable
    @inline(__always)
    public mutating func next(below bound: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: ((next() &>> 32) &* UInt64(bound)) &>> 32)
    }
}

/// A version 7 UUID (RFC 9562) as the SDK writes it: 22 characters of base64url.
public struct Identifier: Equatable, BitwiseCopyable, Sendable {
    let high: UInt64
    let low: UInt64

    /// Characters of the text form.
    public static let length = 22

    /// The identifier made at `epochMilliseconds` with the random part that follows from `number`.
    public init(epochMilliseconds: Int64, number: UInt64) {
        let random = mixed(number)
        let time = UInt64(bitPattern: epochMilliseconds) &<< 16
        high = time | 0x7000 | (random & 0x0fff)
        low = (mixed(number ^ 0x5bf0_3635_d1b6_c2a7) &>> 2) | 0x8000_0000_0000_0000
    }

    /// Writes the 22 characters at `target`.
    public func write(to target: UnsafeMutablePointer<UInt8>) {
        Self.alphabet.utf8Start.withMemoryRebound(to: UInt8.self, capacity: 64) { letters in
            for index in 0..<10 {
                target[index] = letters[Int((high &>> UInt64(58 &- 6 &* index)) & 63)]
            }
            target[10] = letters[Int(((high & 15) &<< 2) | (low &>> 62))]
            for index in 0..<10 {
                target[11 &+ index] = letters[Int((low &>> UInt64(56 &- 6 &* index)) & 63)]
            }
            target[21] = letters[Int((low & 3) &<< 4)]
        }
    }

    /// The 22 characters.
    public var text: String {
        String(unsafeUninitializedCapacity: Self.length) { buffer in
            if let base = buffer.baseAddress { write(to: base) }
            return Self.length
        }
    }

    private static let alphabet: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
}
