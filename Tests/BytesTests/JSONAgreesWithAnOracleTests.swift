import Bytes
import Foundation
import Testing

/// The cursor against Foundation's parser, which shares no line with it.
@Suite struct JSONAgreesWithAnOracleTests {
    @Test(arguments: 1...8)
    func randomJSONIsAcceptedAndReadTheSame(seed: Int) throws {
        var random = RandomJSON(seed: UInt64(seed))
        for _ in 0..<400 {
            let text = random.value()
            let expected = try JSONSerialization.jsonObject(
                with: Data(text.utf8),
                options: [.fragmentsAllowed]
            )
            #expect(refusal(text) == nil, "skip refused \(text)")
            let read = withView(text) { view in tree(view) }
            #expect(read.map { isSame($0, expected) } == true, "read differently: \(text)")
        }
    }

    /// What the oracle refuses and we accept would be a hole, apart from lone surrogates, which we
    /// replace on writing and it refuses; the reverse is strictness, except
    /// that strictness must not refuse what is undamaged (the test above).
    @Test(arguments: 1...8)
    func damageIsNotAcceptedUnlessTheOracleAcceptsIt(seed: Int) {
        var random = RandomJSON(seed: UInt64(seed) &+ 100)
        for _ in 0..<400 {
            var bytes = Array(random.value().utf8)
            damage(&bytes, &random.dice)
            let ours = refusal(bytes)
            if ours == nil {
                let theirs = try? JSONSerialization.jsonObject(
                    with: Data(storable(bytes)),
                    options: [.fragmentsAllowed]
                )
                #expect(theirs != nil, "accepted: \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    /// Walking with typed calls and skipping must refuse the same texts.
    @Test(arguments: 1...8)
    func walkingAndSkippingAgree(seed: Int) {
        var random = RandomJSON(seed: UInt64(seed) &+ 200)
        for _ in 0..<400 {
            var bytes = Array(random.value().utf8)
            if random.dice.below(2) == 0 { damage(&bytes, &random.dice) }
            let walked = withView(bytes) { tree($0) != nil }
            #expect(walked == (refusal(bytes) == nil))
        }
    }

    private func damage(_ bytes: inout [UInt8], _ dice: inout Dice) {
        guard !bytes.isEmpty else { return }
        let place = dice.below(bytes.count)
        switch dice.below(4) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(UInt8(dice.below(256)), at: place)
        case 2: bytes[place] = Array("{}[],:\"\\0e.-+ ".utf8)[dice.below(14)]
        default: bytes[place] ^= UInt8(1 << dice.below(8))
        }
    }
}

private func storable(_ bytes: [UInt8]) -> [UInt8] {
    withView(bytes) { view in written { JSONText.appendStorable(value: view, into: &$0) } }
}

/// Structure and texts exactly; numbers to a rounding, because the oracle goes through decimals
/// (`JSONNumbersTests` holds them exactly against the standard library).
private func isSame(_ ours: Any, _ theirs: Any) -> Bool {
    switch (ours, theirs) {
    case (let left as NSDictionary, let right as NSDictionary):
        return left.count == right.count
            && left.allKeys.allSatisfy { key in
                guard let one = left[key], let other = right[key] else { return false }
                return isSame(one, other)
            }
    case (let left as NSArray, let right as NSArray):
        return left.count == right.count
            && (0..<left.count).allSatisfy { isSame(left[$0], right[$0]) }
    case (let left as NSNumber, let right as NSNumber):
        let size = max(left.doubleValue.magnitude, right.doubleValue.magnitude)
        return (left.doubleValue - right.doubleValue).magnitude <= size * 1e-14
    case (let left as NSNull, let right as NSNull): return left == right
    case (let left as NSString, let right as String): return left as String == right
    default: return false
    }
}

/// Reads a whole text through the typed calls into the values that Foundation would make.
private func tree(_ view: ByteView) -> NSObject? {
    var cursor = JSONCursor(view)
    do throws(JSONError) {
        let value = try read(&cursor, depth: 1)
        try cursor.end()
        return value
    } catch { return nil }
}

private func read(_ cursor: inout JSONCursor, depth: Int) throws(JSONError) -> NSObject {
    switch try cursor.kind() {
    case .object: return try readObject(&cursor, depth)
    case .array:
        if depth > JSONCursor.depthMaximum { throw cursor.error(.tooDeep) }
        let array = NSMutableArray()
        try cursor.beginArray()
        var first = true
        while try cursor.nextElement(&first) { array.add(try read(&cursor, depth: depth + 1)) }
        return array
    case .string: return NSString(string: unescaped(try cursor.string().raw))
    case .number: return NSNumber(value: try cursor.double())
    case .boolean: return NSNumber(value: try cursor.boolean())
    case .null:
        try cursor.null()
        return NSNull()
    }
}

private func readObject(_ cursor: inout JSONCursor, _ depth: Int) throws(JSONError) -> NSObject {
    if depth > JSONCursor.depthMaximum { throw cursor.error(.tooDeep) }
    let object = NSMutableDictionary()
    try cursor.beginObject()
    var first = true
    while let key = try cursor.nextKey(&first) {
        let name = unescaped(key)
        object[NSString(string: name)] = try read(&cursor, depth: depth + 1)
    }
    return object
}

private func unescaped(_ raw: ByteView) -> String {
    String(decoding: written { JSONText.unescape(raw, into: &$0) }, as: UTF8.self)
}
