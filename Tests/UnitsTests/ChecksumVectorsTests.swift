import Testing
import Units

/// Published vectors and slow definitions, against the fast code.
@Suite struct ChecksumVectorsTests {
    private func crc(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { Checksum.crc32c($0, seed: seed) }
    }

    /// RFC 3720 appendix B.4.
    @Test func crc32cMatchesThePublishedVectors() {
        #expect(crc([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(crc([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(crc((0..<32).map { UInt8($0) }) == 0x46dd_794e)
        #expect(crc((0..<32).map { UInt8(31 - $0) }) == 0x113f_db5c)
        #expect(crc(Array("123456789".utf8)) == 0xe306_9283)
        #expect(crc([]) == 0)
    }

    @Test func crc32cMatchesItsDefinitionAtEveryLengthAndPlace() {
        let bytes = (0..<80).map { UInt8(truncatingIfNeeded: $0 &* 151 ^ 0x5a) }
        for start in 0..<9 {
            for end in start...80 {
                let part = Array(bytes[start..<end])
                #expect(crc(part) == bitwise(part))
            }
        }
    }

    @Test func crc32cMayBeContinued() {
        let bytes = Array("the checksum of a whole from its parts".utf8)
        for split in 0...bytes.count {
            let front = crc(Array(bytes[..<split]))
            #expect(crc(Array(bytes[split...]), seed: front) == crc(bytes))
        }
    }

    private func bitwise(_ bytes: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1 }
        }
        return ~value
    }

    /// The vector of the Redis Cluster specification, and the slot that `CLUSTER KEYSLOT foo` gives.
    @Test func crc16IsThatOfRedisCluster() {
        #expect(Array("123456789".utf8).withUnsafeBytes { Checksum.crc16($0) } == 0x31c3)
        #expect(Array("foo".utf8).withUnsafeBytes { Checksum.crc16($0) } & 16383 == 12182)
        #expect([UInt8]().withUnsafeBytes { Checksum.crc16($0) } == 0)
    }
}
