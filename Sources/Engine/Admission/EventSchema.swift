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
        case Word.ti: return string(128)
        case Word.nt: return string(8)
        case UInt64(UInt8(ascii: "h")), Word.wc: return number
        default: return nil
        }
    }

    private static func pageSummary(_ key: UInt64) -> FieldRule? {
        switch key {
        case UInt64(UInt8(ascii: "q")): return number
        case Word.vz, Word.sc, UInt64(UInt8(ascii: "S")), Word.rd, Word.mo, Word.tp, Word.kb,
            Word.ck, Word.ct, Word.pt:
            return array
        case Word.hm: return string(172)
        default: return nil
        }
    }

    private static func click(_ key: UInt64) -> FieldRule? {
        switch key {
        case UInt64(UInt8(ascii: "a")): return string(64)
        case UInt64(UInt8(ascii: "g")): return string(32)
        case UInt64(UInt8(ascii: "x")), UInt64(UInt8(ascii: "y")), Word.hv: return number
        case UInt64(UInt8(ascii: "f")): return flag
        default: return nil
        }
    }

    private static func form(_ key: UInt64) -> FieldRule? {
        switch key {
        case UInt64(UInt8(ascii: "f")): return string(48)
        case Word.ph, Word.cp: return number
        case Word.sb: return flag
        case Word.ff: return array
        default: return nil
        }
    }

    private static func navigation(_ key: UInt64) -> FieldRule? {
        switch key {
        case Word.ty: return string(8)
        case Word.fr: return string(256, .path)
        case Word.dw, Word.lp: return number
        default: return nil
        }
    }

    private static func identify(_ key: UInt64) -> FieldRule? {
        switch key {
        case Word.uid: return string(96)
        case Word.traits:
            return FieldRule(shape: .object, treatment: .asIs, bytesMaximum: 2048)
        default: return nil
        }
    }

    private static func consent(_ key: UInt64) -> FieldRule? {
        switch key {
        case Word.bits, Word.ex: return number
        case Word.src: return string(64)
        case Word.tc, Word.gp: return string(2048)
        case Word.up, Word.gm: return string(8)
        default: return nil
        }
    }

    private static func custom(_ key: UInt64) -> FieldRule? {
        switch key {
        case Word.name: return string(64)
        case Word.props: return FieldRule(shape: .object, treatment: .asIs, bytesMaximum: 2048)
        // Which pixels on the page told their platforms of the same event: bits 1 Meta, 2 Google.
        case Word.tw: return number
        default: return nil
        }
    }

    /// The longer keys as the words that `pack` makes of them. Written as constants, so that no lazy
    /// initialiser stands in the way of every event.
    private enum Word {
        static let ti: UInt64 = 0x7469
        static let nt: UInt64 = 0x6e74
        static let wc: UInt64 = 0x7763
        static let ex: UInt64 = 0x6578
        static let tc: UInt64 = 0x7463
        static let gp: UInt64 = 0x6770
        static let up: UInt64 = 0x7570
        static let gm: UInt64 = 0x676d
        static let vz: UInt64 = 0x767a
        static let sc: UInt64 = 0x7363
        static let rd: UInt64 = 0x7264
        static let mo: UInt64 = 0x6d6f
        static let tp: UInt64 = 0x7470
        static let kb: UInt64 = 0x6b62
        static let ck: UInt64 = 0x636b
        static let ct: UInt64 = 0x6374
        static let pt: UInt64 = 0x7074
        static let hm: UInt64 = 0x686d
        static let hv: UInt64 = 0x6876
        static let ph: UInt64 = 0x7068
        static let cp: UInt64 = 0x6370
        static let sb: UInt64 = 0x7362
        static let ff: UInt64 = 0x6666
        static let ty: UInt64 = 0x7479
        static let fr: UInt64 = 0x6672
        static let dw: UInt64 = 0x6477
        static let lp: UInt64 = 0x6c70
        static let uid: UInt64 = 0x75_6964
        static let traits: UInt64 = 0x7472_6169_7473
        static let src: UInt64 = 0x73_7263
        static let bits: UInt64 = 0x6269_7473
        static let tw: UInt64 = 0x7477
        static let name: UInt64 = 0x6e61_6d65
        static let props: UInt64 = 0x70_726f_7073
    }
}
