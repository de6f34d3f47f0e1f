import Bytes
public import Records

/// What a record adds to a visitor's score history.
public struct HistoryGain {
    /// How the session before it left the score.
    public let ended: HistoryPoint?
    /// The score after it.
    public let point: HistoryPoint?
    /// What scored it.
    public let model: ModelTag

    /// What an effect wants kept; nil when it is nothing.
    public init?(_ effect: FoldEffect, _ model: @autoclosure () -> ModelTag) {
        guard effect.keepsEnded || effect.keepsHistory else { return nil }
        ended = effect.keepsEnded ? effect.ended : nil
        point = effect.keepsHistory ? effect.history : nil
        self.model = model()
    }

    /// Calls `body` with each point, in the order of time.
    public func forEachPoint(_ body: (HistoryPoint) -> Void) {
        if let ended { body(ended) }
        if let point { body(point) }
    }
}

/// Points of history as rows of `heliograph.score_history`.
enum HistoryRows {
    /// The fields in the order of `ArchiveStatements.copyHistory`.
    static func append(
        _ point: HistoryPoint,
        _ header: RecordHeader,
        _ slice: Slice,
        _ model: ModelTag,
        to rows: inout ByteBuffer
    ) {
        let reading = point.reading
        rows.append(bigEndian: ArchiveStatements.historyColumnCount)
        rows.timeField(epochMilliseconds: reading.updatedAt)
        rows.field(Int64(bitPattern: header.offset))
        rows.field(reading.score)
        rows.field(reading.confidence)
        rows.field(reading.likelihood)
        rows.field(Int16(header.partition.index))
        rows.field(slice.flags.contains(.bot))
        rows.field(slice.site)
        rows.field(slice.visitor)
        rows.field(reading.band.name)
        rows.field(reading.profile.name)
        rows.field(point.reason.name)
        rows.field(model.name)
        var json = ByteBuffer(capacity: 512)
        json.append(point.terms, model)
        rows.jsonField(json.view)
        guard point.changesProfile else {
            rows.nullField()
            return rows.nullField()
        }
        rows.field(point.profileBefore.name)
        json.reset()
        json.append(point.profileTerms, model)
        rows.jsonField(json.view)
    }
}

extension HistoryPoint.Reason {
    var name: String {
        switch self {
        case .first: return "first"
        case .band: return "band"
        case .step: return "step"
        case .profile: return "profile"
        case .session: return "session"
        }
    }
}

extension ByteBuffer {
    /// Appends terms as JSON: `[{"name":"cta_hover","adds":-0.1234}]`, the largest first.
    mutating func append(_ terms: LargestTerms, _ model: ModelTag) {
        append("[")
        for place in 0..<terms.count {
            let term = terms[place]
            append(place == 0 ? "{\"name\":\"" : ",{\"name\":\"")
            append(text: model.name(of: term.code))
            append("\",\"adds\":")
            if term.adds < 0 { append("-") }
            append(fixed: Double(abs(term.adds)), places: 4)
            append("}")
        }
        append("]")
    }
}
