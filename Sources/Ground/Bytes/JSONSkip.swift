/// Checks a whole value without stepping into it: a loop with a stack of bits, no recursion.
struct JSONSkip {
    /// Bit 0 says whether the innermost open container is an object; outer ones lie above it.
    private var kinds: UInt64 = 0
    private var level: Int
    private let floor: Int

    /// The outermost container of the value counts as nested `depth` deep.
    private init(depth: Int) {
        level = depth &- 1
        floor = depth &- 1
    }

    @inline(__always) private var isClosed: Bool { level == floor }
    @inline(__always) private var isObject: Bool { kinds & 1 == 1 }
    @inline(__always) private var closer: UInt8 {
        isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    }

    @inline(__always)
    private mutating func open(object: Bool, at index: Int) throws(JSONError) {
        guard level < JSONCursor.depthMaximum else { throw JSONError(.tooDeep, at: index) }
        level &+= 1
        kinds = kinds &<< 1 | (object ? 1 : 0)
    }

    @inline(__always)
    private mutating func close() {
        level &-= 1
        kinds &>>= 1
    }

    /// The index behind the value that begins at `start`.
    static func value(
        _ bytes: ByteView,
        from start: Int,
        depth: Int,
        anyNumbers: Bool = false
    ) throws(JSONError) -> Int {
        var stack = JSONSkip(depth: depth)
        var index = start
        while true {
            let byte = try JSONScan.next(bytes, &index)
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                try stack.open(object: byte == UInt8(ascii: "{"), at: index)
                index &+= 1
                if try JSONScan.next(bytes, &index) != stack.closer {
                    if stack.isObject { try key(bytes, &index) }
                    continue
                }
                index &+= 1
                stack.close()
            } else {
                try scalar(byte, bytes, &index, anyNumbers)
            }
            if try stack.isFinished(bytes, &index) { return index }
        }
    }

    /// Goes over what may follow a value: closing brackets, then a comma and the next key. False
    /// when another value comes.
    @inline(__always)
    private mutating func isFinished(
        _ bytes: ByteView,
        _ index: inout Int
    ) throws(JSONError) -> Bool {
        while !isClosed {
            let byte = try JSONScan.next(bytes, &index)
            if byte == UInt8(ascii: ",") {
                index &+= 1
                if isObject { try Self.key(bytes, &index) }
                return false
            }
            guard byte == closer else { throw JSONError(.unexpectedByte, at: index) }
            index &+= 1
            close()
        }
        return true
    }

    @inline(__always)
    private static func key(_ bytes: ByteView, _ index: inout Int) throws(JSONError) {
        guard try JSONScan.next(bytes, &index) == UInt8(ascii: "\"") else {
            throw JSONError(.unexpectedByte, at: index)
        }
        index &+= 1
        _ = try JSONScan.string(bytes, &index)
        guard try JSONScan.next(bytes, &index) == UInt8(ascii: ":") else {
            throw JSONError(.unexpectedByte, at: index)
        }
        index &+= 1
    }

    @inline(__always)
    private static func scalar(
        _ byte: UInt8,
        _ bytes: ByteView,
        _ index: inout Int,
        _ anyNumbers: Bool
    ) throws(JSONError) {
        switch byte {
        case UInt8(ascii: "\""):
            index &+= 1
            _ = try JSONScan.string(bytes, &index)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try JSONScan.number(bytes, &index, any: anyNumbers)
        case UInt8(ascii: "t"): try JSONScan.word("true", bytes, &index)
        case UInt8(ascii: "f"): try JSONScan.word("false", bytes, &index)
        case UInt8(ascii: "n"): try JSONScan.word("null", bytes, &index)
        default: throw JSONError(.unexpectedByte, at: index)
        }
    }
}
