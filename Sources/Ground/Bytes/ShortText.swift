/// Up to 63 bytes of text stored in place: an identifier inside a fixed-size state.
///
/// Sixty-four bytes, trivially copyable, no reference counting.
public struct ShortText: BitwiseCopyable, Hashable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var moreWords: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// The most bytes that fit.
    public static let capacity = 63

    /// Empty text.
    public init() {}

    /// Copies `bytes`, of which there may be at most `capacity`; nil when there are more.
    public init?(_ bytes: ByteView) {
        guard bytes.count <= Self.capacity else { return nil }
        withUnsafeMutableBytes(of: &self) { target in
            target.copyMemory(from: bytes.buffer)
            target[Self.capacity] = UInt8(bytes.count)
        }
    }

    /// The number of bytes.
    public var count: Int { Int(moreWords.3 >> 56) }

    /// Whether there is no text.
    public var isEmpty: Bool { count == 0 }

    /// Looks at the bytes; the view is valid inside `body` only.
    @inline(__always)
    public func withBytes<Result>(_ body: (ByteView) -> Result) -> Result {
        withUnsafeBytes(of: self) { body(ByteView($0)[0..<count]) }
    }

    /// The bytes as text. Allocates: not for the hot path.
    public var text: String { withBytes { $0.text } }

    /// Whether both hold the same bytes.
    public static func == (left: ShortText, right: ShortText) -> Bool {
        left.words == right.words && left.moreWords == right.moreWords
    }

    /// Feeds all words, length included.
    public func hash(into hasher: inout Hasher) {
        withUnsafeBytes(of: self) { hasher.combine(bytes: $0) }
    }
}
