import Bytes
import Privacy
import Records
import Settings
import Telemetry
import Wire

/// From what the wire formats found to the one table of problems.
enum ServerProblems {
    static func refusal(_ error: WireError) -> Refusal {
        switch error {
        case .json(let json):
            return Refusal(BeaconProblems.problem(of: json), at: "byte \(json.offset)")
        case .wrongType(let member): return Refusal(.fieldType, at: "\(member)")
        case .missing(let member): return Refusal(.fieldMissing, at: "\(member)")
        case .tooLarge: return Refusal(.serverBatchTooLarge, at: "query")
        }
    }

    static func problem(of fault: WireFault) -> Problem {
        switch fault {
        case .malformed, .wrongType: return .eventMalformed
        case .typeMissing, .nameMissing: return .eventFieldMissing
        case .typeUnknown: return .eventTypeUnknown
        case .nobody: return .eventWithoutVisitor
        case .tooLarge: return .eventTooLarge
        }
    }
}

/// What a sender is told about an event that was taken, though not as it was sent.
enum ServerWarning {
    case timeReplaced, userWithheld, valuesWithheld

    var code: StaticString {
        switch self {
        case .timeReplaced: return "time-replaced"
        case .userWithheld: return "user-withheld"
        case .valuesWithheld: return "values-withheld"
        }
    }
}

extension Consent {
    /// The bits that consent tools' purposes stand for.
    init(_ purposes: WirePurposes) {
        var consent: Consent = []
        if purposes.contains(.analytics) { consent.formUnion([.measurement, .profiling]) }
        if purposes.contains(.functional) { consent.insert(.storage) }
        if purposes.contains(.advertising) { consent.formUnion([.linking, .adPersonalisation]) }
        self = consent
    }
}

/// Writes `{"results":[…]}`: what became of each event, in the order of the request.
struct VerdictWriter: ~Copyable {
    private var bytes = ByteBuffer(capacity: 1024, limit: Self.bytesMaximum)
    private(set) var count = 0

    /// Room for every event a request may hold, with the longest id and reason.
    private static let bytesMaximum = Limits.serverBatchEventsMaximum * 160

    mutating func reset() {
        bytes.reset()
        count = 0
    }

    /// Adds the verdict on the next event; an event that could not be read has no id.
    mutating func add(id: ByteView, _ result: StaticString, reason: StaticString) {
        bytes.append(count == 0 ? "{\"results\":[{\"id\":" : ",{\"id\":")
        if id.isEmpty { bytes.append("null") } else { JSONText.appendQuoted(id, into: &bytes) }
        bytes.append(",\"result\":\"")
        bytes.append(result)
        if reason.utf8CodeUnitCount > 0 {
            bytes.append("\",\"reason\":\"")
            bytes.append(reason)
        }
        bytes.append("\"}")
        count += 1
    }

    /// Appends the whole object.
    func append(to output: inout ByteBuffer) {
        output.append(bytes.view)
        output.append(count == 0 ? "{\"results\":[]}\n" : "]}\n")
    }
}
