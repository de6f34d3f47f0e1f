public import Bytes
import Glibc

/// An IPv4 or IPv6 address, or none. A mapped IPv4 address (RFC 4291 section 2.5.5.2) is the IPv4
/// address, so that no client has two spellings.
public struct InternetAddress: Equatable, BitwiseCopyable, Sendable {
    private var bytes = InlineArray<16, UInt8>(repeating: 0)
    /// 4, 16, or 0 when the address is not known.
    public private(set) var length = 0

    /// The longest text of an address that is read.
    private static let textBytesMaximum = 45

    /// No address.
    public init() {}

    /// An address of 4 or 16 bytes in network order; none when there are not so many.
    public init(_ view: ByteView) {
        let isMapped = Self.isMapped(view)
        guard view.count == 4 || view.count == 16 else { return }
        length = isMapped ? 4 : view.count
        for index in 0..<length { bytes[index] = view[view.count - length + index] }
    }

    private static func isMapped(_ view: ByteView) -> Bool {
        guard view.count == 16 else { return false }
        for index in 0..<10 where view[index] != 0 { return false }
        return view[10] == 0xff && view[11] == 0xff
    }

    /// An address as text, as the C library reads it; nil when it is none.
    public init?(text: ByteView) {
        guard text.count > 0, text.count <= Self.textBytesMaximum else { return nil }
        var characters = InlineArray<46, CChar>(repeating: 0)
        for index in 0..<text.count {
            if text[index] == 0 { return nil }
            characters[index] = CChar(bitPattern: text[index])
        }
        var found = InlineArray<16, UInt8>(repeating: 0)
        let length = unsafe withUnsafeBytes(of: &characters) { source in
            unsafe withUnsafeMutableBytes(of: &found) { target in
                unsafe Self.read(source, into: target)
            }
        }
        guard length > 0 else { return nil }
        self = unsafe withUnsafeBytes(of: &found) {
            unsafe InternetAddress(ByteView($0)[0..<length])
        }
    }

    private static func read(
        _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let text = unsafe source.assumingMemoryBound(to: CChar.self).baseAddress else {
            return 0
        }
        if unsafe inet_pton(AF_INET, text, target.baseAddress) == 1 { return 4 }
        return unsafe inet_pton(AF_INET6, text, target.baseAddress) == 1 ? 16 : 0
    }

    /// Whether it is 127.0.0.0/8 (RFC 1122 section 3.2.1.3) or ::1 (RFC 4291 section 2.5.3).
    public var isLoopback: Bool {
        if length == 4 { return bytes[0] == 127 }
        for index in 0..<15 where bytes[index] != 0 { return false }
        return length == 16 && bytes[15] == 1
    }

    /// Looks at the bytes in network order: 4, 16 or none.
    public func withBytes<Result>(_ body: (ByteView) -> Result) -> Result {
        unsafe withUnsafeBytes(of: bytes) { unsafe body(ByteView($0)[0..<length]) }
    }

    /// The byte at `index`, counted in network order.
    subscript(index: Int) -> UInt8 { bytes[index] }

    /// Whether both are the same address.
    public static func == (left: InternetAddress, right: InternetAddress) -> Bool {
        guard left.length == right.length else { return false }
        for index in 0..<left.length where left.bytes[index] != right.bytes[index] { return false }
        return true
    }
}

/// A network in CIDR notation (RFC 4632, RFC 4291 section 2.3), such as `10.0.0.0/8`.
public struct AddressRange: Equatable, Sendable {
    private let network: InternetAddress
    private let prefixBits: Int

    /// A network, or a single address without a prefix; nil when it is neither, or when bits behind
    /// the prefix are set, which is a mistake more often than not.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let network = Self.address(String(parts[0])) else { return nil }
        let bits = network.length * 8
        var prefix = bits
        if parts.count == 2 {
            guard let number = Int(parts[1]), String(number) == parts[1] else { return nil }
            prefix = number
        }
        guard (0...bits).contains(prefix) else { return nil }
        self.network = network
        prefixBits = prefix
        for bit in prefix..<bits where network[bit / 8] & (0x80 >> (bit % 8)) != 0 { return nil }
    }

    private static func address(_ text: String) -> InternetAddress? {
        var copy = text
        return copy.withUTF8 {
            unsafe InternetAddress(text: ByteView(UnsafeRawBufferPointer($0)))
        }
    }

    /// Whether `address` is of this network.
    public func contains(_ address: InternetAddress) -> Bool {
        guard address.length == network.length else { return false }
        for index in 0..<prefixBits / 8 where address[index] != network[index] { return false }
        let rest = prefixBits % 8
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xff00 >> rest)
        return (address[prefixBits / 8] ^ network[prefixBits / 8]) & mask == 0
    }
}
