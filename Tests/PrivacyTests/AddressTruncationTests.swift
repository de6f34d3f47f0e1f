import Privacy
import TestSupport
import Testing

/// An address is cut to its network before anything else sees it.
@Suite struct AddressTruncationTests {
    private func v4(_ bytes: [UInt8]) -> String {
        written { buffer in withView(bytes) { AddressTruncation.append(v4: $0, into: &buffer) } }
    }

    private func v6(_ bytes: [UInt8]) -> String {
        written { buffer in withView(bytes) { AddressTruncation.append(v6: $0, into: &buffer) } }
    }

    @Test func theLastByteOfIPv4Goes() {
        #expect(v4([203, 0, 113, 77]) == "203.0.113.0")
        #expect(v4([255, 255, 255, 255]) == "255.255.255.0")
        #expect(v4([0, 0, 0, 1]) == "0.0.0.0")
    }

    @Test func theLastEightyBitsOfIPv6Go() {
        let address: [UInt8] = [
            0x20, 0x01, 0x0d, 0xb8, 0x0a, 0x0b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
        ]
        #expect(v6(address) == "2001:db8:a0b::")
        #expect(v6([0xfe, 0x80] + [UInt8](repeating: 0xff, count: 14)) == "fe80:ffff:ffff::")
        #expect(v6([UInt8](repeating: 0, count: 15) + [1]) == "0:0:0::")
    }

    @Test func aMappedAddressIsAnIPv4Address() {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 198, 51, 100, 23]
        #expect(v6(mapped) == "198.51.100.0")
        let almost = [UInt8](repeating: 0, count: 9) + [1, 0xff, 0xff, 198, 51, 100, 23]
        #expect(v6(almost) == "0:0:0::")
        let half = [UInt8](repeating: 0, count: 11) + [0xff, 198, 51, 100, 23]
        #expect(v6(half) == "0:0:0::")
    }
}
