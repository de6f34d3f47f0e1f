import Bytes
import Records
import TestSupport
import Wire

let goodEvent = #"{"t":"pv","n":1,"o":250,"p":1,"u":"https://shop.example/"}"#

/// A beacon with these members instead of, or beside, those of a good one. Nil leaves one out.
func beacon(_ changes: [(String, String?)] = [], events: String = goodEvent) -> String {
    var members: [(String, String)] = [
        ("v", "1"), ("k", #""hg_demo""#), ("st", "1790000000000"), ("mt", "500"),
        ("w", #""window-0123456789abcd""#), ("c", "3"), ("e", "[\(events)]"),
    ]
    for (key, value) in changes {
        members.removeAll { $0.0 == key }
        if let value { members.append((key, value)) }
    }
    return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
}

/// What became of a beacon, apart from where its bytes lie.
enum Decoded: Equatable {
    case taken(unknownKeys: Int)
    case refused(String)

    init(_ text: String) {
        self = withView(text) { body in
            do throws(BeaconError) {
                return .taken(unknownKeys: try BeaconDecoder.decode(body).unknownKeys)
            } catch {
                return .refused(Self.describe(error))
            }
        }
    }

    private static func describe(_ error: BeaconError) -> String {
        switch error {
        case .json(let json, let field): return "\(json.reason) \(field)"
        case .missing(let field): return "missing \(field)"
        case .unsupportedVersion: return "version"
        case .tooManyEvents: return "events"
        }
    }
}

/// One event as the reader gives it.
struct ReadEvent: Equatable {
    var kind: EventKind
    var number: UInt32
    var offset: Int64
    var page: UInt16
    var fields: [String]

    init(_ reader: borrowing BeaconEventReader) {
        kind = reader.kind
        number = reader.number
        offset = reader.offsetMilliseconds
        page = reader.page
        fields = []
        for index in 0..<reader.fieldCount {
            let field = reader.field(index)
            fields.append("\(field.key.text)=\(field.value.text)")
        }
    }

    init(
        _ kind: EventKind,
        _ number: UInt32,
        offset: Int64 = 0,
        page: UInt16 = 0,
        _ fields: [String] = []
    ) {
        self.kind = kind
        self.number = number
        self.offset = offset
        self.page = page
        self.fields = fields
    }
}

/// All events of an array, each usable or with its fault.
func readEvents(_ array: String) -> [Result<ReadEvent, EventFault>] {
    withView(array) { bytes in
        var reader = BeaconEventReader(bytes)
        var events: [Result<ReadEvent, EventFault>] = []
        while let outcome = reader.next() {
            switch outcome {
            case .success: events.append(.success(ReadEvent(reader)))
            case .failure(let fault): events.append(.failure(fault))
            }
        }
        return events
    }
}
