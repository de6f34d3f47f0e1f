public import Bytes

/// Makes the bytes of a refused request fit to be kept: personal data is overwritten in place, so
/// that lengths and JSON stay as they were.
///
/// It is run on bytes that may not decode, so it trusts no structure and looks at pieces that the
/// detector takes; an escape of JSON is left whole. Digits become 9, everything else x. Owned by
/// one thread.
public struct RejectedBytes: ~Copyable {
    /// Long enough for everything that hangs together in a request.
    private static let pieceBytes = 1024

    private var detector = Detector()

    /// A mask that has looked at nothing yet.
    public init() {}

    /// Appends `bytes` to `output`, sanitised. True when something was overwritten.
    public mutating func sanitise(_ bytes: ByteView, into output: inout ByteBuffer) -> Bool {
        let start = output.count
        output.append(bytes)
        if output.overflowed { return false }
        var isMasked = Self.removeZeros(from: start, in: &output)
        // Once more for what only shows when its neighbour is gone.
        for _ in 0..<3 where mask(from: start, in: &output) { isMasked = true }
        return isMasked
    }

    /// Eight zero bytes could pass for the end of a record's header in a damaged journal.
    private static func removeZeros(from start: Int, in output: inout ByteBuffer) -> Bool {
        var isChanged = false
        var index = start
        while let found = output.view.firstIndex(of: 0, from: index) {
            output.overwrite(littleEndian: UInt8(ascii: " "), at: found)
            isChanged = true
            index = found + 1
        }
        return isChanged
    }

    private mutating func mask(from start: Int, in output: inout ByteBuffer) -> Bool {
        var (isMasked, index) = (false, start)
        while index < output.count {
            let end = pieceEnd(output.view, from: index)
            detector.scan(output.view[index..<end], at: .freeText)
            for span in detector.spans
            where Self.overwrite(index + span.start..<index + span.end, in: &output) {
                isMasked = true
            }
            index = end
        }
        return isMasked
    }

    /// Pieces end behind a comma or a bracket, so that no value is cut; where there is none for
    /// long, anywhere.
    private func pieceEnd(_ bytes: ByteView, from start: Int) -> Int {
        let limit = min(bytes.count, start + Self.pieceBytes)
        guard limit < bytes.count else { return limit }
        var index = limit
        while index > start + Self.pieceBytes / 2 {
            let byte = bytes[index - 1]
            if byte == UInt8(ascii: "}") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "&")
                || byte == 10
            {
                return index
            }
            index -= 1
        }
        return limit
    }

    /// True when something changed.
    private static func overwrite(_ range: Range<Int>, in output: inout ByteBuffer) -> Bool {
        var (isChanged, index) = (false, range.lowerBound)
        while index < range.upperBound {
            let byte = output.view[index]
            let escape = escapeLength(output.view, index)
            if escape > 1 {
                index += escape
                continue
            }
            let masked = masked(byte)
            if masked != byte {
                output.overwrite(littleEndian: masked, at: index)
                isChanged = true
            }
            index += 1
        }
        return isChanged
    }

    private static func masked(_ byte: UInt8) -> UInt8 {
        if Characters.isDigit(byte) { return UInt8(ascii: "9") }
        let isText = Characters.isLetter(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
        return isText ? UInt8(ascii: "x") : byte
    }

    /// Bytes of an escape of JSON or of a URL; 1 for anything else.
    private static func escapeLength(_ bytes: ByteView, _ index: Int) -> Int {
        let left = bytes.count - index
        switch bytes[index] {
        case UInt8(ascii: "\\"):
            guard left > 1 else { return 1 }
            return min(left, bytes[index + 1] == UInt8(ascii: "u") ? 6 : 2)
        case UInt8(ascii: "%"):
            let isEscape =
                left > 2 && Characters.hexadecimal(bytes[index + 1]) < 16
                && Characters.hexadecimal(bytes[index + 2]) < 16
            return isEscape ? 3 : 1
        default: return 1
        }
    }
}
