import Bytes

/// What scanners ask of a byte or a character.
enum Characters {
    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    @inline(__always)
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }

    @inline(__always)
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    @inline(__always)
    static func isUpper(_ byte: UInt8) -> Bool { byte &- 65 < 26 }

    @inline(__always)
    static func isLower(_ byte: UInt8) -> Bool { byte &- 97 < 26 }

    /// The value of a hexadecimal digit; 255 for other bytes.
    static func hexadecimal(_ byte: UInt8) -> UInt8 {
        if isDigit(byte) { return byte &- 48 }
        let letter = (byte | 0x20) &- 97
        return letter < 6 ? letter &+ 10 : 255
    }

    /// Scripts that are written without spaces, and Hangul, whose particles cling to words.
    static func isUnspaced(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x0e00...0x0e4e, 0x3005, 0x3041...0x3096, 0x309d...0x309f, 0x30a1...0x30fa,
            0x30fc...0x30ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xac00...0xd7a3, 0xf900...0xfaff,
            0x1100...0x11ff, 0x20000...0x2fffd:
            return true
        default: return false
        }
    }

    /// Letters of scripts that put spaces between words, marks included.
    static func isWordLetter(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0xaa, 0xb5, 0xba, 0xc0...0xd6, 0xd8...0xf6, 0xf8...0x2af, 0x300...0x37d,
            0x37f...0x386, 0x388...0x589, 0x591...0x5bd, 0x5d0...0x5f2, 0x610...0x61a,
            0x620...0x65f, 0x66e...0x6d3, 0x6d5...0x6dc, 0x6fa...0x6ff, 0x900...0x963,
            0x971...0xdff, 0x10a0...0x10ff, 0x1c90...0x1cbf, 0x1e00...0x1fff:
            return true
        default: return false
        }
    }

    /// Whether a capital letter; scripts without case have none.
    static func isCapital(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 65...90, 0xc0...0xd6, 0xd8...0xde, 0x386...0x38f, 0x391...0x3ab, 0x400...0x42f:
            return true
        case 0x100...0x137, 0x14a...0x177, 0x460...0x481, 0x48a...0x4bf, 0x4d0...0x52f,
            0x1e00...0x1eff, 0x218...0x21b:
            return scalar & 1 == 0
        case 0x139...0x148, 0x179...0x17e: return scalar & 1 == 1
        case 0x178: return true
        default: return false
        }
    }

    /// Whether a letter of a script that has capitals.
    static func hasCase(_ scalar: UInt32) -> Bool {
        scalar < 0x587 && scalar >= 65 || (0x1e00...0x1fff).contains(scalar)
    }

    /// The value of a decimal digit of any script (general category Nd); nil for other characters.
    static func decimalDigit(_ scalar: UInt32) -> UInt8? {
        if scalar >= 0x1d7ce, scalar <= 0x1d7ff { return UInt8((scalar - 0x1d7ce) % 10) }
        for zero in zeros where scalar >= zero && scalar < zero + 10 {
            return UInt8(scalar - zero)
        }
        return nil
    }

    private static let zeros: [UInt32] = [
        0xff10, 0x660, 0x6f0, 0x966, 0x7c0, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6,
        0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80,
        0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50,
        0xabf0, 0x104a0, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x1e950,
    ]

    /// Characters that show nothing.
    static func isInvisible(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0xad, 0x34f, 0x61c, 0x180e, 0x200b...0x200f, 0x202a...0x202e, 0x2060...0x2064,
            0x2066...0x206f, 0xfe00...0xfe0f, 0xfeff, 0xe0000...0xe007f:
            return true
        default: return false
        }
    }

    /// The ASCII character that a look-alike stands for in numbers and addresses; 0 when there is
    /// none.
    static func plain(_ scalar: UInt32) -> UInt8 {
        switch scalar {
        case 0xff01...0xff5e: return UInt8(truncatingIfNeeded: scalar &- 0xfee0)
        case 0xfe6b: return UInt8(ascii: "@")
        case 0xfe52, 0x3002, 0xff61: return UInt8(ascii: ".")
        case 0xfe55: return UInt8(ascii: ":")
        case 0x2010...0x2015, 0x2212, 0xfe58, 0xfe63: return UInt8(ascii: "-")
        case 0x2018, 0x2019, 0x2bc, 0xb4: return UInt8(ascii: "'")
        case 0x201c...0x201e, 0xab, 0xbb: return UInt8(ascii: "\"")
        case 0xa0, 0x1680, 0x2000...0x200a, 0x202f, 0x205f, 0x3000: return UInt8(ascii: " ")
        default: return 0
        }
    }
}

/// A character of a text and how many bytes it takes; a byte that is no UTF-8 stands for U+FFFD.
struct DecodedScalar {
    let value: UInt32
    let length: Int

    @inline(__always)
    init(_ bytes: borrowing [UInt8], _ index: Int, _ end: Int) {
        let first = bytes[index]
        if first < 0x80 {
            self.init(ascii: first)
        } else {
            self.init(continuing: bytes, index, end)
        }
    }

    @inline(__always)
    private init(ascii byte: UInt8) { (value, length) = (UInt32(byte), 1) }

    private init(continuing bytes: borrowing [UInt8], _ index: Int, _ end: Int) {
        let first = bytes[index]
        let count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard first >= 0xc2, first < 0xf5, index + count <= end else {
            (value, length) = (0xfffd, 1)
            return
        }
        var scalar = UInt32(first) & (0x7f >> UInt32(count))
        for offset in 1..<count {
            let next = bytes[index + offset]
            guard next & 0xc0 == 0x80 else {
                (value, length) = (0xfffd, 1)
                return
            }
            scalar = scalar << 6 | UInt32(next & 0x3f)
        }
        (value, length) = (scalar, count)
    }
}
