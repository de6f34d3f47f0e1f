import Bytes
import Settings

/// The header of the PROXY protocol, version 2, which a proxy sends before anything else to say for
/// whom it speaks. A pure function of the bytes.
enum ProxyHeader: Equatable {
    /// The header is not complete; it can be so far.
    case incomplete
    /// A whole header of `length` bytes. The address is empty when the proxy speaks for itself, as in
    /// its health checks, or does not know.
    case complete(length: Int, client: InternetAddress)
    /// Never a header, whatever follows.
    case refused

    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
    /// Signature, version and command, family, and two bytes of length.
    private static let fixedBytes = 16

    static func parse(_ bytes: ByteView) -> ProxyHeader {
        for index in 0..<min(bytes.count, signature.count) where bytes[index] != signature[index] {
            return .refused
        }
        guard bytes.count >= fixedBytes else {
            // Refused as soon as it can be known: a client that is no proxy should not have to wait.
            if bytes.has(12), bytes[12] >> 4 != 2 { return .refused }
            return .incomplete
        }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard bytes[12] >> 4 == 2, length <= Limits.proxyHeaderBytesMaximum else { return .refused }
        guard let needed = addressBytes(command: bytes[12] & 15, family: bytes[13]),
            length >= needed
        else { return .refused }
        guard bytes.count >= fixedBytes + length else { return .incomplete }
        // Source addresses come first; destination, ports and extensions behind mean nothing to us.
        let half = needed == 0 ? 0 : needed == 12 ? 4 : 16
        return .complete(
            length: fixedBytes + length,
            client: InternetAddress(bytes[fixedBytes..<fixedBytes + half])
        )
    }

    /// Bytes of addresses and ports; nil for what a TCP port cannot be spoken to for.
    private static func addressBytes(command: UInt8, family: UInt8) -> Int? {
        switch (command, family) {
        // LOCAL: the proxy speaks for itself; whatever addresses it gives are to be ignored.
        case (0, _): return 0
        case (1, 0x11): return 12
        case (1, 0x21): return 36
        case (1, 0x00): return 0
        default: return nil
        }
    }
}
