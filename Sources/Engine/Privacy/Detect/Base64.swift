import Bytes

/// Base64 in both alphabets (RFC 4648), as far as it may hide a text.
enum Base64 {
    /// Appends what `bytes[range]` stands for. False when it is no base64 or no text: fewer than 95
    /// of a hundred bytes can be printed.
    static func decode(
        _ bytes: borrowing [UInt8],
        _ range: Range<Int>,
        into output: inout ByteBuffer
    ) -> Bool {
        var (bits, count, unprintable): (UInt32, Int, Int) = (0, 0, 0)
        for index in range {
            guard let value = value(bytes[index]) else { break }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                let byte = UInt8(truncatingIfNeeded: bits >> UInt32(count))
                if byte < 32 && byte != 10 && byte != 9 || byte == 127 { unprintable += 1 }
                output.append(byte)
            }
        }
        return output.count >= 8 && unprintable * 20 <= output.count && isText(output.view)
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 65...90: return byte - 65
        case 97...122: return byte - 71
        case 48...57: return byte + 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): return 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): return 63
        default: return nil
        }
    }

    /// UTF-8, but for a character that the end cuts.
    private static func isText(_ text: ByteView) -> Bool {
        var (index, wrong) = (0, 0)
        while index < text.count {
            if text[index] < 0x80 {
                index += 1
            } else if let length = UTF8Check.sequenceLength(text, at: index) {
                index += length
            } else {
                wrong += 1
                index += 1
            }
        }
        return wrong * 20 <= text.count
    }
}
