import Bytes

/// A small generator with a known seed, so that a failure repeats.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state &<< 13
        state ^= state &>> 7
        state ^= state &<< 17
        return state &* 0x2545_f491_4f6c_dd1d
    }

    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: (next() &>> 11) % UInt64(bound))
    }
}

/// Calls `body` with a view of the text's bytes.
func withView<Result>(_ text: String, _ body: (ByteView) throws -> Result) rethrows -> Result {
    try withView(Array(text.utf8), body)
}

/// Calls `body` with a view of `bytes`.
func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBytes { try body(ByteView($0)) }
}

/// What the cursor says about a whole text: nil when it is JSON.
func refusal(_ bytes: [UInt8]) -> JSONError? {
    withView(bytes) { view in
        var cursor = JSONCursor(view)
        do throws(JSONError) {
            _ = try cursor.skip()
            try cursor.end()
            return nil
        } catch { return error }
    }
}

func refusal(_ text: String) -> JSONError? { refusal(Array(text.utf8)) }

/// The bytes that `body` writes into an empty buffer.
func written(limit: Int = 1 << 20, _ body: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer(capacity: 16, limit: limit)
    body(&buffer)
    return Array(buffer.view.buffer)
}

/// Random JSON text and, half of the time, a text damaged in one place.
struct RandomJSON {
    var dice: Dice
    private var keys = 0

    init(seed: UInt64) { dice = Dice(seed) }

    mutating func value(depth: Int = 0) -> String {
        switch dice.below(depth < 6 ? 7 : 5) {
        case 0: return ["true", "false", "null"][dice.below(3)]
        case 1, 2: return number()
        case 3, 4: return string()
        case 5: return "[" + list(depth) { $0.value(depth: depth + 1) } + "]"
        default:
            return "{"
                + list(depth) {
                    $0.key() + $0.space() + ":" + $0.space() + $0.value(depth: depth + 1)
                } + "}"
        }
    }

    private mutating func list(_ depth: Int, _ item: (inout RandomJSON) -> String) -> String {
        var items: [String] = []
        for _ in 0..<dice.below(5) { items.append(space() + item(&self) + space()) }
        return items.isEmpty ? space() : items.joined(separator: ",")
    }

    private mutating func space() -> String {
        ["", "", "", " ", "\n", "\t ", "\r\n"][dice.below(7)]
    }

    mutating func number() -> String {
        let sign = dice.below(3) == 0 ? "-" : ""
        let whole = dice.below(4) == 0 ? "0" : String(dice.below(1_000_000_000) + 1)
        let fraction = dice.below(2) == 0 ? "" : ".\(dice.below(100_000))"
        let exponent = ["", "", "", "e5", "E-3", "e+12"][dice.below(6)]
        return sign + whole + fraction + exponent
    }

    /// Never the same twice in a text: which of two equal keys counts is not the cursor's matter.
    private mutating func key() -> String {
        keys += 1
        return "\"\(keys)" + string().dropFirst()
    }

    mutating func string() -> String {
        "\"" + (0..<dice.below(12)).map { _ in piece() }.joined() + "\""
    }

    private mutating func piece() -> String {
        switch dice.below(8) {
        case 0: return ["\\n", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\t"][dice.below(8)]
        case 1: return ["\\u0041", "\\u00e9", "\\u20AC", "\\uD83D\\uDE00"][dice.below(4)]
        case 2: return ["é", "€", "😀", "я", "\u{7f}", "\u{2028}"][dice.below(6)]
        default: return ["a", "key", "long plain text", "x", "0", " "][dice.below(6)]
        }
    }
}
