public import Bytes
import Units

/// The payload of a journal record of kind `erasure`: from this record on, nothing may be left of a
/// visitor in whatever the journal is folded into. Also of kind `parting`, which only tells whether the
/// visitor is read as part of a person.
///
/// Version 1: version, order (1 each); site, visitor: a length byte each, then the bytes. No slice of
/// an erased visitor stands behind the record, because the journal's thread refuses them. Once every
/// store and checkpoint is past the record its own payload is zeroed, too. A visitor without an id
/// marks a place in the journal and erases nothing.
public struct Erasure {
    /// What is to happen to the visitor.
    public enum Order: UInt8, Sendable {
        /// Nothing may be left.
        case erase
        /// It is read on its own again, also when the same user is named again.
        case part
        /// It is read as part of the user it was last identified as.
        case rejoin
    }

    /// Format version of the payload.
    public static let version: UInt8 = 1

    /// Site name.
    public let site: ByteView
    /// Visitor id.
    public let visitor: ByteView
    /// What is to happen.
    public let order: Order

    /// An order about `visitor`; both texts have at most 255 bytes.
    public init(site: ByteView, visitor: ByteView, order: Order = .erase) {
        (self.site, self.visitor, self.order) = (site, visitor, order)
    }

    /// Reads a payload; nil when it is not one that this version can read.
    public init?(_ bytes: ByteView) {
        guard bytes.count >= 4, bytes[0] == Self.version, let order = Order(rawValue: bytes[1])
        else { return nil }
        let siteEnd = 3 + Int(bytes[2])
        guard siteEnd < bytes.count else { return nil }
        let visitorEnd = siteEnd + 1 + Int(bytes[siteEnd])
        guard visitorEnd == bytes.count else { return nil }
        self.order = order
        site = bytes[3..<siteEnd]
        visitor = bytes[siteEnd + 1..<visitorEnd]
    }

    /// Appends the payload.
    public func write(to buffer: inout ByteBuffer) {
        buffer.append(Self.version)
        buffer.append(order.rawValue)
        for text in [site, visitor] {
            invariant(text.count <= 255, "a name in an erasure is longer than its length byte")
            buffer.append(UInt8(truncatingIfNeeded: text.count))
            buffer.append(text)
        }
    }
}
