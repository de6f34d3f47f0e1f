public import Bytes

/// The sealed blocks of a slice: what a visitor lets advertisement platforms know, which only Delivery
/// opens. They stand behind the events as entries of kind (1), length (2, little-endian) and bytes,
/// and behind them their length (2); the slice's flag `sealed` says that they are there.
public struct SealedParts {
    /// What an entry holds.
    public enum Kind: UInt8, CaseIterable, Sendable {
        /// Of the request itself: address and user agent.
        case request = 1
        /// Of the page's first batch: the platforms' own browser ids beside these.
        case page
        /// Of an identify: hashes of contact data.
        case identify
        /// Of a page reached by a click on an advertisement of Meta's: its click id.
        case click
        /// Not sealed: tells one click id from another and leads nobody back to it.
        case clickKey
    }

    /// Bytes of an entry before its content.
    static let entryHeadSize = 3

    private let bytes: ByteView

    init(_ bytes: ByteView) { self.bytes = bytes }

    /// Whether there is none.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The content of the last entry of `kind`; empty when there is none.
    public subscript(kind: Kind) -> ByteView {
        var found = ByteView.empty
        var position = 0
        while position + Self.entryHeadSize <= bytes.count {
            let start = position + Self.entryHeadSize
            let end = start + Int(bytes.load(UInt16.self, at: position + 1))
            guard end <= bytes.count else { return found }
            if bytes[position] == kind.rawValue { found = bytes[start..<end] }
            position = end
        }
        return found
    }

    /// Starts an entry in `buffer`; its content is to be appended next. Returns the mark for `end`.
    public static func begin(_ kind: Kind, in buffer: inout ByteBuffer) -> Int {
        buffer.append(kind.rawValue)
        buffer.append(littleEndian: UInt16(0))
        return buffer.count
    }

    /// Ends the entry that `begin` started; one that is too long to be told is taken back.
    public static func end(_ mark: Int, in buffer: inout ByteBuffer) {
        if buffer.overflowed { return }
        let length = buffer.count - mark
        guard length <= Int(UInt16.max) else { return buffer.truncate(to: mark - entryHeadSize) }
        buffer.overwrite(littleEndian: UInt16(length), at: mark - 2)
    }
}
