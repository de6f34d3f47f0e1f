import Testing
import Units

/// SipHash-1-3-128 against a plain transcription of the paper's algorithm, which is itself held
/// against the published vector of SipHash-2-4-128.
@Suite struct KeyedHashTests {
    private let key = HashKey(first: 0x0706_0504_0302_0100, second: 0x0f0e_0d0c_0b0a_0908)

    @Test func theReferenceGivesThePublishedVector() {
        let empty = reference([], compressions: 2, finalizations: 4)
        #expect(empty == [0x930255c71472f66d, 0xe6a825ba047f81a3])
    }

    @Test func everyLengthMatchesTheReference() {
        for length in 0..<130 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ length) }
            let hash = bytes.withUnsafeBytes { Hash128($0, key: key) }
            #expect([hash.high, hash.low] == reference(bytes, compressions: 1, finalizations: 3))
        }
    }

    @Test func anotherKeyGivesAnotherHash() {
        let bytes = Array("visitor".utf8)
        let one = bytes.withUnsafeBytes { Hash128($0, key: HashKey(first: 1, second: 2)) }
        let other = bytes.withUnsafeBytes { Hash128($0, key: HashKey(first: 1, second: 3)) }
        let again = bytes.withUnsafeBytes { Hash128($0, key: HashKey(first: 1, second: 2)) }
        #expect(one != other && one == again)
        let drawn = (0..<2).map { _ in HashKey.random() }
        #expect(
            bytes.withUnsafeBytes { Hash128($0, key: drawn[0]) }
                != bytes.withUnsafeBytes { Hash128($0, key: drawn[1]) }
        )
    }

    /// Numbered names are what tables hold: no collisions, every bit set half of the time.
    @Test func numberedNamesSpreadEvenly() {
        let count = 20_000
        var bits = [Int](repeating: 0, count: 128)
        var seen = Set<Hash128>()
        for number in 0..<count {
            let hash = Array("visitor-\(number)".utf8).withUnsafeBytes { Hash128($0, key: key) }
            seen.insert(hash)
            for bit in 0..<64 {
                bits[bit] += Int(hash.low >> UInt64(bit) & 1)
                bits[bit + 64] += Int(hash.high >> UInt64(bit) & 1)
            }
        }
        #expect(seen.count == count)
        // Six standard deviations of a fair coin tossed 20 000 times are 424.
        #expect(bits.allSatisfy { abs($0 - count / 2) < 424 })
    }

    private func reference(_ bytes: [UInt8], compressions: Int, finalizations: Int) -> [UInt64] {
        var v: [UInt64] = [
            0x736f_6d65_7073_6575 ^ 0x0706_0504_0302_0100,
            0x646f_7261_6e64_6f6d ^ 0x0f0e_0d0c_0b0a_0908 ^ 0xee,
            0x6c79_6765_6e65_7261 ^ 0x0706_0504_0302_0100,
            0x7465_6462_7974_6573 ^ 0x0f0e_0d0c_0b0a_0908,
        ]
        var padded = bytes
        while padded.count % 8 != 7 { padded.append(0) }
        padded.append(UInt8(truncatingIfNeeded: bytes.count))
        for start in stride(from: 0, to: padded.count, by: 8) {
            let word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(padded[start + $1]) << (8 * $1) }
            v[3] ^= word
            for _ in 0..<compressions { round(&v) }
            v[0] ^= word
        }
        v[2] ^= 0xee
        for _ in 0..<finalizations { round(&v) }
        let low = v[0] ^ v[1] ^ v[2] ^ v[3]
        v[1] ^= 0xdd
        for _ in 0..<finalizations { round(&v) }
        return [v[0] ^ v[1] ^ v[2] ^ v[3], low]
    }

    private func round(_ v: inout [UInt64]) {
        func left(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
        v[0] &+= v[1]
        v[1] = left(v[1], 13) ^ v[0]
        v[0] = left(v[0], 32)
        v[2] &+= v[3]
        v[3] = left(v[3], 16) ^ v[2]
        v[0] &+= v[3]
        v[3] = left(v[3], 21) ^ v[0]
        v[2] &+= v[1]
        v[1] = left(v[1], 17) ^ v[2]
        v[2] = left(v[2], 32)
    }
}
