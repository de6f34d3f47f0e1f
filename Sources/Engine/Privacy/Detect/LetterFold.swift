/// Letters without case and marks, as words are looked up: `É`, `é` and `e` are one.
enum LetterFold {
    /// One or two characters; `first` is 0 for a mark, which is dropped.
    struct Folded {
        var first: UInt32
        var second: UInt32 = 0
        /// Whether a mark or a special letter was given up.
        var hadMark = false
    }

    static func fold(_ scalar: UInt32) -> Folded {
        switch scalar {
        case 0..<0x80: return Folded(first: ascii(scalar))
        case 0xc0..<0x180: return latin(scalar)
        case 0x180..<0x250: return extended(scalar)
        case 0x300...0x36f, 0x591...0x5bd, 0x610...0x61a, 0x64b...0x65f:
            return Folded(first: 0, hadMark: true)
        case 0x370...0x3ff: return Folded(first: greek(scalar))
        case 0x400...0x52f: return Folded(first: cyrillic(scalar))
        case 0x1e00...0x1eff: return mark(additional[Int(scalar - 0x1e00)], scalar)
        default: return Folded(first: scalar)
        }
    }

    @inline(__always)
    private static func ascii(_ scalar: UInt32) -> UInt32 {
        scalar &- 65 < 26 ? scalar | 0x20 : scalar
    }

    private static func mark(_ base: UInt8, _ scalar: UInt32) -> Folded {
        if base == UInt8(ascii: "*") { return Folded(first: scalar) }
        return Folded(first: UInt32(base), hadMark: true)
    }

    private static func latin(_ scalar: UInt32) -> Folded {
        switch scalar {
        case 0xdf: return pair("s", "s")
        case 0xc6, 0xe6: return pair("a", "e")
        case 0x152, 0x153: return pair("o", "e")
        case 0xde, 0xfe: return pair("t", "h")
        case 0xd8, 0xf8: return single("o")
        case 0xd0, 0xf0, 0x110, 0x111: return single("d")
        case 0x126, 0x127: return single("h")
        case 0x131: return single("i")
        case 0x141, 0x142: return single("l")
        case 0x14a, 0x14b: return single("n")
        case 0x166, 0x167: return single("t")
        case 0x138: return single("k")
        case 0xd7, 0xf7: return Folded(first: scalar)
        default: return mark(basic[Int(scalar - 0xc0)], scalar)
        }
    }

    private static func extended(_ scalar: UInt32) -> Folded {
        switch scalar {
        case 0x218, 0x219: return single("s")
        case 0x21a, 0x21b: return single("t")
        case 0x1a0, 0x1a1: return single("o")
        case 0x1af, 0x1b0: return single("u")
        case 0x18f, 0x259: return single("e")
        case 0x1e6, 0x1e7: return single("g")
        default: return Folded(first: scalar)
        }
    }

    private static func single(_ letter: Unicode.Scalar) -> Folded {
        Folded(first: letter.value, hadMark: true)
    }

    private static func pair(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Folded {
        Folded(first: first.value, second: second.value, hadMark: true)
    }

    private static func greek(_ scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x386, 0x3ac: return 0x3b1
        case 0x388, 0x3ad: return 0x3b5
        case 0x389, 0x3ae: return 0x3b7
        case 0x38a, 0x3af, 0x390, 0x3ca, 0x3aa: return 0x3b9
        case 0x38c, 0x3cc: return 0x3bf
        case 0x38e, 0x3cd, 0x3b0, 0x3cb, 0x3ab: return 0x3c5
        case 0x38f, 0x3ce: return 0x3c9
        case 0x3c2: return 0x3c3
        case 0x391...0x3a9: return scalar + 0x20
        default: return scalar
        }
    }

    private static func cyrillic(_ scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x410...0x42f: return cyrillic(scalar + 0x20)
        case 0x400...0x40f: return cyrillic(scalar + 0x50)
        case 0x450, 0x451: return 0x435
        case 0x439, 0x45d: return 0x438
        case 0x457: return 0x456
        case 0x45e: return 0x443
        case 0x490: return 0x491
        default: return scalar
        }
    }

    /// The base letters of U+00C0 to U+017F; a star for none.
    private static let basic: [UInt8] = Array(
        """
        aaaaaa*ceeeeiiii*nooooo**uuuuy**aaaaaa*ceeeeiiii*nooooo**uuuuy*yaaaaaaccccccccdd\
        **eeeeeeeeeegggggggghh**iiiiiiiii***jjkk*llllll****nnnnnn***oooooo**rrrrrrssssss\
        sstttt**uuuuuuuuuuuuwwyyyzzzzzz*
        """.utf8
    )

    /// The base letters of U+1E00 to U+1EFF.
    private static let additional: [UInt8] = Array(
        """
        aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooo\
        oooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy******\
        aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuu\
        uuyyyyyyyy******
        """.utf8
    )
}
