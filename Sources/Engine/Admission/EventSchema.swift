public import Bytes
public import Records

/// What a member of an event may hold, and what becomes of it.
public struct FieldRule: BitwiseCopyable, Sendable {
    /// The types that are taken.
    public enum Shape: UInt8, BitwiseCopyable, Sendable {
        case number, string, array, object, scalar
    }

    /// How privacy treats the value.
    public enum Treatment: UInt8, BitwiseCopyable, Sendable {
        case asIs, url, path
    }

    /// The types that are taken.
    public let shape: Shape
    /// How privacy treats the value.
    public let treatment: Treatment
    /// The longest string in bytes, or the longest value of other types.
    public let bytesMaximum: Int

    /// Whether a value of `kind` may stand here.
    public func accepts(_ kind: JSONCursor.Kind) -> Bool {
        switch shape {
        case .number: return kind == .number
        case .string: return kind == .string
        case .array: return kind == .array
        case .object: return kind == .object
        case .scalar: return kind == .number || kind == .string || kind == .boolean
        }
    }
}

/// The members that each event type has, beside `n`, `t`, `o` and `p`, which all have.
public enum EventSchema {
    /// The rule for `key` in an event of `kind`, or nil when the type has no such member.
    public static func rule(_ kind: EventKind, _ key: ByteView) -> FieldRule? {
        guard let packed = pack(key) else { return nil }
        switch kind {
        case .pageView: return pageView(packed)
        case .pageSummary: return pageSummary(packed)
        case .click: return click(packed)
        case .form: return form(packed)
        case .navigation: return navigation(packed)
        case .identify: return identify(packed)
        case .consent: return consent(packed)
        case .custom: return custom(packed)
        }
    }

    /// Whether `key` in an event of `kind` holds the name that is stored apart.
    public static func isName(_ kind: EventKind, _ key: ByteView) -> Bool {
        kind == .custom && key.equals("name")
    }

    /// Up to eight bytes as one word, so that a rule is found by one comparison.
    @inline(__always)
    private static func pack(_ key: ByteView) -> UInt64? {
        guard key.count <= 8 else { return nil }
        var word: UInt64 = 0
        for index in 0..<key.count { word = word << 8 | UInt64(key[index]) }
        return word
    }

    @inline(__always)
    private static func word(_ literal: StaticString) -> UInt64 {
        pack(ByteView(literal)) ?? 0
    }

    private static let number = FieldRule(shape: .number, treatment: .asIs, bytesMaximum: 32)
    private static let array = FieldRule(shape: .array, treatment: .asIs, bytesMaximum: 4096)
    private static let flag = FieldRule(shape: .scalar, treatment: .asIs, bytesMaximum: 32)

    private static func string(
        _ bytesMaximum: Int,
        _ treatment: FieldRule.Treatment = .asIs
    ) -> FieldRule {
        FieldRule(shape: .string, treatment: treatment, bytesMaximum: bytesMaximum)
    }

    private static func pageView(_ key: UInt64) -> FieldRule? {
        switch key {
        case UInt64(UInt8(ascii: "u")): return string(512, .url)
        case UInt64(UInt8(ascii: "r")): return string(256, .url)
        case words.ti: return string(128)
        case words.nt: return string(8)
        case UInt64(UInt8(ascii: "h")), words.wc: return number
        default: return nil
        }
    }

    private static func pageSummary(_ key: UInt64) -> FieldRule? {
        switch key {
        case UInt64(UInt8(ascii: "q")): return number
        case words.vz, words.sc, UInt64(UInt8(ascii: "S")), words.rd, words.mo, words.tp, words.kb,
            words.ck, words.ct, words.pt:
            return array
        case words.hm: return string(172)
        default: return nil
        }
    }

    private static func click(_ key: UInt64) -> FieldRule? {
        switch key {
        case UInt64(UInt8(ascii: "a")): return string(64)
        case UInt64(UInt8(ascii: "g")): return string(32)
        case UInt64(UInt8(ascii: "x")), UInt64(UInt8(ascii: "y")), words.hv: return number
        case UInt64(UInt8(ascii: "f")): return flag
        default: return nil
        }
    }

    private static func form(_ key: UInt64) -> FieldRule? {
        switch key {
        case UInt64(UInt8(ascii: "f")): return string(48)
        case words.ph, words.cp: return number
        case words.sb: return flag
        case words.ff: return array
        default: return nil
        }
    }

    private static func navigation(_ key: UInt64) -> FieldRule? {
        switch key {
        case words.ty: return string(8)
        case words.fr: return string(256, .path)
        case words.dw, words.lp: return number
        default: return nil
        }
    }

    private static func identify(_ key: UInt64) -> FieldRule? {
        switch key {
        case words.uid: return string(96)
        case words.traits:
            return FieldRule(shape: .object, treatment: .asIs, bytesMaximum: 2048)
        default: return nil
        }
    }

    private static func consent(_ key: UInt64) -> FieldRule? {
        switch key {
        case words.bits: return number
        case words.src: return string(64)
        default: return nil
        }
    }

    private static func custom(_ key: UInt64) -> FieldRule? {
        switch key {
        case words.name: return string(64)
        case words.props: return FieldRule(shape: .object, treatment: .asIs, bytesMaximum: 2048)
        default: return nil
        }
    }

    /// The longer keys, packed once.
    private static let words = (
        ti: word("ti"), nt: word("nt"), wc: word("wc"), vz: word("vz"), sc: word("sc"),
        rd: word("rd"), mo: word("mo"), tp: word("tp"), kb: word("kb"), ck: word("ck"),
        ct: word("ct"), pt: word("pt"), hm: word("hm"), hv: word("hv"), ph: word("ph"),
        cp: word("cp"), sb: word("sb"), ff: word("ff"), ty: word("ty"), fr: word("fr"),
        dw: word("dw"), lp: word("lp"), uid: word("uid"), traits: word("traits"), src: word("src"),
        bits: word("bits"), name: word("name"), props: word("props")
    )
}
