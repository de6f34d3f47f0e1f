import Foundation

/// Writes small MaxMind databases (format 2.0, 24-bit records, IPv6 tree), so that tests need none
/// that somebody else owns.
struct DatabaseMaker {
    indirect enum Value {
        case text(String)
        case map([(String, Value)])
        case list([Value])
        case short(UInt16)
        case number(UInt32)
        case long(UInt64)
    }

    /// A node's record: another node, a network's data, or nothing.
    private enum Record {
        case none
        case node(Int)
        case data(Int)
    }

    private var nodes: [[Record]] = [[.none, .none]]
    private var data: [UInt8] = []

    /// Puts `value` at a network of an address of 4 or 16 bytes.
    mutating func add(_ address: [UInt8], prefix: Int, _ value: Value) {
        let whole = address.count == 4 ? [UInt8](repeating: 0, count: 12) + address : address
        let length = address.count == 4 ? 96 + prefix : prefix
        let offset = data.count
        data += Self.encode(value)
        var node = 0
        for depth in 0..<length {
            let bit = Int(whole[depth / 8] >> UInt8(7 - depth % 8) & 1)
            if depth == length - 1 {
                nodes[node][bit] = .data(offset)
            } else if case .node(let next) = nodes[node][bit] {
                node = next
            } else {
                nodes.append([.none, .none])
                nodes[node][bit] = .node(nodes.count - 1)
                node = nodes.count - 1
            }
        }
    }

    /// The file's bytes.
    var bytes: [UInt8] {
        var file: [UInt8] = []
        for record in nodes.joined() {
            let number: Int
            switch record {
            case .none: number = nodes.count
            case .node(let node): number = node
            case .data(let offset): number = nodes.count + 16 + offset
            }
            file += [UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
        }
        file += [UInt8](repeating: 0, count: 16) + data
        return file + [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8) + Self.encode(metadata)
    }

    private var metadata: Value {
        .map([
            ("node_count", .number(UInt32(nodes.count))), ("record_size", .short(24)),
            ("ip_version", .short(6)), ("database_type", .text("Test-City")),
            ("languages", .list([.text("en")])), ("binary_format_major_version", .short(2)),
            ("binary_format_minor_version", .short(0)), ("build_epoch", .long(1_700_000_000)),
            ("description", .map([("en", .text("made by a test"))])),
        ])
    }

    private static func encode(_ value: Value) -> [UInt8] {
        switch value {
        case .text(let text): head(2, text.utf8.count) + Array(text.utf8)
        case .short(let number): head(5, 2) + bigEndian(UInt64(number), 2)
        case .number(let number): head(6, 4) + bigEndian(UInt64(number), 4)
        case .long(let number): head(9, 8) + bigEndian(number, 8)
        case .list(let values): head(11, values.count) + values.flatMap(encode)
        case .map(let members):
            head(7, members.count) + members.flatMap { encode(.text($0.0)) + encode($0.1) }
        }
    }

    private static func head(_ type: UInt8, _ size: Int) -> [UInt8] {
        let isLong = size >= 29
        let low = UInt8(isLong ? 29 : size)
        let start = type > 7 ? [low, type - 7] : [type << 5 | low]
        return isLong ? start + [UInt8(size - 29)] : start
    }

    private static func bigEndian(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(number >> UInt64(8 * (count - 1 - $0)) & 255) }
    }

    /// A city as MaxMind's own files describe it.
    static func city(_ country: String, region: String, city: String) -> Value {
        .map([
            ("city", .map([("names", .map([("en", .text(city))]))])),
            ("country", .map([("iso_code", .text(country))])),
            ("subdivisions", .list([.map([("iso_code", .text(region))])])),
        ])
    }
}

/// A folder that is removed with its last holder.
final class TemporaryFolder {
    let path: String

    init() throws {
        let place = FileManager.default.temporaryDirectory
            .appendingPathComponent("heliograph-enrichment-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        path = place.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}
