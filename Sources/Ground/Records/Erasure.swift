public import Bytes
import Units

/// The payload of a journal record of kind `erasure`: from this record on, nothing may be left of a
/// visitor in whatever the journal is folded into.
///
/// Version 1: version, zero (1 each); site, visitor: a length byte each, then the bytes. No slice of
/// the visitor stands behind the record, because the journal's thread refuses them. Once every store
/// and checkpoint is past the record its own payload is zeroed, too. A visitor without an id marks a
/// place in the journal and erases nothing.
public struct Erasure {
    /// Format version of the payload.
    public static let version: UInt8 = 1

    /// Site name.
    public let site: ByteView
    /// Visitor id.
    public let visitor: ByteView

    /// An erasure of `visitor`; both texts have at most 255 bytes.
    public init(site: ByteView, visitor: ByteView) {
        (self.site, self.visitor) = (site, visitor)
    }

    /// Reads a payload; nil when it is not one that this version can read.
    public init?(_ bytes: ByteView) {
        guard bytes.count >= 4, bytes[0] == Self.version else { return nil }
        let siteEnd = 3 + Int(bytes[2])
        guard siteEnd < bytes.count else { return nil }
        let visitorEnd = siteEnd + 1 + Int(bytes[siteEnd])
        guard visitorEnd == bytes.count else { return nil }
        site = bytes[3..<siteEnd]
        visitor = bytes[siteEnd + 1..<visitorEnd]
    }

    /// Appends the payload.
    public func write(to buffer: inout ByteBuffer) {
        buffer.append(Self.version)
        buffer.append(0)
        for text in [site, visitor] {
            invariant(text.count <= 255, "a name in an erasure is longer than its length byte")
            buffer.append(UInt8(truncatingIfNeeded: text.count))
            buffer.append(text)
        }
    }
}
