import Bytes
import Units

/// Up to 128 words and a number for each, looked up in bytes without case and without allocation.
///
/// Words are told apart by 64 bits of a hash: they are the operator's, and whoever makes a label
/// collide with one has but mislabelled a click of his own.
///
/// A class, so that looking a word up copies no table.
final class WordTable: Sendable {
    private static let slots = 256

    private let hashes: InlineArray<256, UInt64>
    private let values: InlineArray<256, UInt16>

    /// At most 128 words, each with a number below 65 535.
    init(_ entries: [(String, Int)]) {
        var hashes = InlineArray<256, UInt64>(repeating: 0)
        var values = InlineArray<256, UInt16>(repeating: 0)
        for (word, value) in entries {
            let hash = WordHash.of(word)
            var slot = Int(truncatingIfNeeded: hash & 255)
            while values[slot] != 0 { slot = (slot &+ 1) & 255 }
            hashes[slot] = hash
            values[slot] = UInt16(value &+ 1)
        }
        self.hashes = hashes
        self.values = values
    }

    /// The number of the word with this hash.
    func value(ofHash hash: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: hash & 255)
        while values[slot] != 0 {
            if hashes[slot] == hash { return Int(values[slot]) &- 1 }
            slot = (slot &+ 1) & 255
        }
        return nil
    }

    /// The number of a whole word.
    func value(of word: ByteView) -> Int? { value(ofHash: WordHash.of(word)) }

    /// The number of the first known word in a text.
    func firstValue(in text: ByteView) -> Int? {
        var scan = WordHash()
        for index in 0..<text.count where !scan.take(text[index]) {
            if let value = scan.isWord ? value(ofHash: scan.value) : nil { return value }
            scan = WordHash()
        }
        return scan.isWord ? value(ofHash: scan.value) : nil
    }
}

/// FNV-1a over lower-cased bytes (Fowler, Noll and Vo).
struct WordHash {
    /// The longest word that is looked up.
    static let bytesMaximum = 32

    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    private var count = 0

    /// Whether the bytes so far are a word of a length that is looked up.
    var isWord: Bool { count > 0 && count <= Self.bytesMaximum }

    /// Takes a letter or digit; false, and nothing taken, for any other byte.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        let lower = asciiLowercase(byte)
        guard lower &- 97 < 26 || lower &- 48 < 10 else { return false }
        add(lower)
        return true
    }

    /// Takes any byte.
    @inline(__always)
    mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
        count &+= 1
    }

    /// The hash of a text's bytes, lower-cased.
    static func of(_ text: String) -> UInt64 {
        var copy = text
        return copy.withUTF8 { utf8 in unsafe of(ByteView(UnsafeRawBufferPointer(utf8))) }
    }

    /// The hash of all bytes, lower-cased.
    static func of(_ bytes: ByteView) -> UInt64 {
        var hash = WordHash()
        for index in 0..<bytes.count { hash.add(asciiLowercase(bytes[index])) }
        return hash.value
    }
}
