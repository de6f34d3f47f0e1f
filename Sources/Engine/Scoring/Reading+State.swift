public import Bytes
public import Records

extension VisitorState {
    /// Inlined, because the compiler would hand the whole state over as a copy.
    @inline(__always)
    borrowing func reading(
        _ evaluation: borrowing Evaluation,
        _ classification: borrowing Classification,
        _ model: ScoringModel
    ) -> Reading {
        Reading.of(
            evaluation,
            classification,
            band: band,
            label: label,
            updatedAt: updatedAt,
            seenAt: seenAt,
            offset: offset,
            model
        )
    }

    /// What can be said at `time` (epoch milliseconds).
    @inline(__always)
    borrowing func reading(at time: Int64, _ model: ScoringModel) -> Reading {
        reading(signals.evaluate(at: time, model), at: time, model)
    }

    /// The same, where the sums are evaluated at `time` already.
    @inline(__always)
    borrowing func reading(
        _ evaluation: borrowing Evaluation,
        at time: Int64,
        _ model: ScoringModel
    ) -> Reading {
        let classification = evaluation.classify(pageViews: signals.pageViews, model)
        var reading = reading(evaluation, classification, model)
        reading.band = reading.band.next(reading.score, model.steps)
        reading.updatedAt = time
        return reading
    }
}

extension Reading {
    static func of(
        _ evaluation: borrowing Evaluation,
        _ classification: borrowing Classification,
        band: Band,
        label: Profile,
        updatedAt: Int64,
        seenAt: Int64,
        offset: UInt64,
        _ model: ScoringModel
    ) -> Reading {
        let isKept = classification.confidence >= model.profileNumbers.keep
        return Reading(
            score: evaluation.score,
            likelihood: Shapes.logistic(evaluation.logOdds),
            confidence: classification.confidence,
            band: band,
            profile: isKept ? label : .undetermined,
            updatedAt: updatedAt,
            seenAt: seenAt,
            offset: offset
        )
    }
}

extension PartitionFold {
    /// What can be said about the visitor at `index`, at `time` (epoch milliseconds).
    public func reading(of index: Int32, at time: Int64) -> Reading {
        table[Int(index)].reading(at: time, model)
    }

    /// What each signal adds to the score of the visitor at `index`, at `time`.
    public func terms(of index: Int32, at time: Int64) -> InlineArray<27, Term> {
        table[Int(index)].signals.evaluate(at: time, model).terms(model)
    }

    /// Whether the visitor at `index` has a score that stores may hold: something was folded with
    /// consent to profile, and that consent was not withdrawn since.
    public func isScored(_ index: Int32) -> Bool { table[Int(index)].signals.landmark != 0 }

    /// The visitor at `index`, by site and id.
    public func visitor(at index: Int32) -> (site: ShortText, visitor: ShortText) {
        (sites[Int(table[Int(index)].site)], table[Int(index)].visitor)
    }

    /// The index of a visitor, if it is remembered.
    public func index(site: ByteView, visitor: ByteView) -> Int32? {
        for (number, known) in sites.enumerated() where known.withBytes({ $0.equals(site) }) {
            return table.find(visitor, site: UInt16(number)).map { Int32($0) }
        }
        return nil
    }
}
