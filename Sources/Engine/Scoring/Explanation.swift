public import Records

/// Why a score is what it is: every signal's part, from the visitor's sums alone, at any time.
///
/// `intercept` and the contributions, added in the order of the signals, are `logOdds` to the last bit,
/// and the score is 100 times its logistic.
public struct Explanation: Sendable {
    /// One signal's part.
    public struct Part: Sendable {
        /// Which signal.
        public let signal: Signal
        /// What was measured, in the signal's unit; means and ratios as they are, sums faded.
        public let amount: Double
        /// How far the evidence reaches, 0 to 1.
        public let certainty: Double
        /// e: 0 to 1.
        public let value: Double
        /// Beta.
        public let weight: Double
        /// What it adds to the log-odds: weight times value.
        public let contribution: Double
        /// Half-life of its sums.
        public let halfLifeMilliseconds: Double
        /// Whether there was anything to measure.
        public let isMeasured: Bool
    }

    /// The moment that it is about, epoch milliseconds.
    public let time: Int64
    /// The scoring model's name.
    public let model: String
    /// Log-odds of nobody known.
    public let intercept: Double
    /// A part per signal, in their order.
    public let parts: [Part]
    /// The sum of all.
    public let logOdds: Double
    /// Readiness, 0 to 100.
    public let score: Double
    /// What can be said besides.
    public let reading: Reading
    /// P of the seven profiles, in the order of `Profile` without undetermined.
    public let probabilities: InlineArray<7, Double>

    /// The score if a part were not there.
    public func score(without part: Part) -> Double {
        100 * Shapes.logistic(logOdds - part.contribution)
    }

    /// A part's share of everything that pulls, whichever way, 0 to 1.
    public func share(of part: Part) -> Double {
        let whole = parts.reduce(0) { $0 + abs($1.contribution) }
        return whole > 0 ? abs(part.contribution) / whole : 0
    }

    /// The parts that add anything, the largest first.
    public var largestFirst: [Part] {
        parts.filter { $0.contribution != 0 }.sorted { one, other in
            let (left, right) = (abs(one.contribution), abs(other.contribution))
            return left != right ? left > right : one.signal.rawValue < other.signal.rawValue
        }
    }
}

/// A part of a profile: what it is of, and what it adds to the profile's log-odds.
public struct ProfileTerm: Sendable {
    /// A signal's name, or `content:` and a category's.
    public let name: String
    /// What it adds.
    public let contribution: Double
}

/// A band that a visitor will be in if nothing more happens.
public struct BandChange: Sendable, Equatable {
    /// When, epoch milliseconds, to a minute.
    public let time: Int64
    /// The band from then on.
    public let band: Band
}

extension PackedState {
    /// Why the score is what it is at `time` (epoch milliseconds).
    public func explanation(at time: Int64, _ model: ScoringModel) -> Explanation {
        let evaluation = signals.evaluate(at: time, model)
        let parts = Signal.allCases.map { signals.part(of: $0, at: time, model) }
        return Explanation(
            time: time,
            model: model.name,
            intercept: model.intercept,
            parts: parts,
            logOdds: evaluation.logOdds,
            score: evaluation.score,
            reading: reading(at: time, model),
            probabilities: probabilities(at: time, model)
        )
    }

    /// The parts of a profile at `time`, the largest first, by amount whatever the sign. With the
    /// profile's bias they sum to its logit.
    public func profileTerms(
        of profile: Profile,
        at time: Int64,
        _ model: ScoringModel
    ) -> [ProfileTerm] {
        var terms: [(code: Int, adds: Double)] = []
        signals.evaluate(at: time, model).forEachTerm(of: profile, model) { code, adds in
            if adds != 0 { terms.append((code, adds)) }
        }
        terms.sort { one, other in
            let (left, right) = (abs(one.adds), abs(other.adds))
            return left != right ? left > right : one.code < other.code
        }
        return terms.map { term in
            ProfileTerm(name: model.tag.name(of: UInt8(term.code)), contribution: term.adds)
        }
    }

    /// The changes of band that decay alone will bring after `time`, at most `maximum` of them, within
    /// thirty days. Looked for hour by hour: what comes and goes within an hour is not seen.
    public func bandChanges(
        after time: Int64,
        maximum: Int,
        _ model: ScoringModel
    ) -> [BandChange] {
        var changes: [BandChange] = []
        var known = reading(at: time, model).band
        for hour in 1...Self.hoursAhead where changes.count < maximum {
            let end = time + Int64(hour) * Self.hourMilliseconds
            let next = known.next(signals.evaluate(at: end, model).score, model.steps)
            guard next != known else { continue }
            let moment = firstMinute(of: known, before: end, model)
            changes.append(BandChange(time: moment, band: next))
            known = next
        }
        return changes
    }

    private static let hourMilliseconds: Int64 = 3_600_000
    private static let hoursAhead = 30 * 24

    /// The first minute of the hour before `end` in which `band` is left.
    private func firstMinute(of band: Band, before end: Int64, _ model: ScoringModel) -> Int64 {
        var (inside, outside) = (end - Self.hourMilliseconds, end)
        while outside - inside > 60_000 {
            let middle = inside + (outside - inside) / 2
            let score = signals.evaluate(at: middle, model).score
            if band.next(score, model.steps) == band { inside = middle } else { outside = middle }
        }
        return outside
    }
}

extension SignalState {
    /// One signal's part of the score at `time`: what `evaluate` adds for it.
    borrowing func part(
        of signal: Signal,
        at time: Int64,
        _ model: ScoringModel
    ) -> Explanation.Part {
        let index = Int(signal.rawValue)
        let rule = model.rules[index]
        var measure = Measure()
        if landmark != 0 {
            let type = Int(model.classOfSum[index])
            let halvings = Double(landmark &- time) * model.halvingsPerMillisecond[type]
            measure = self.measure(
                sums.span,
                index,
                Shapes.powerOfTwo(halvings),
                time,
                rule,
                model
            )
        }
        return Explanation.Part(
            signal: signal,
            amount: measure.amount,
            certainty: measure.certainty,
            value: measure.value,
            weight: rule.weight,
            contribution: rule.weight * measure.value,
            halfLifeMilliseconds: model.halfLifeMilliseconds(of: signal),
            isMeasured: measure.isKnown
        )
    }
}
