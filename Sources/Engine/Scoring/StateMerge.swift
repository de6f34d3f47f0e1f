import Records

extension PackedState {
    /// Two visitors as one: sums add, maxima take the greater, and what is remembered beside them is
    /// that of the one seen last. In whatever order any number of visitors is merged, the result is the
    /// same, to rounding.
    public func merged(with other: PackedState, _ model: ScoringModel) -> PackedState {
        var merged = isLast(after: other) ? self : other
        merged.signals = signals.merged(with: other.signals, model)
        merged.take(seenAt: max(seenAt, other.seenAt))
        return merged
    }

    /// Whether this one's decisions hold: those of the later record, and of two at the same time those
    /// that say more, so that it does not matter which is asked.
    private func isLast(after other: PackedState) -> Bool {
        (updatedAt, band.rawValue, label.rawValue)
            > (other.updatedAt, other.band.rawValue, other.label.rawValue)
    }
}

extension SignalState {
    /// The sums of both, at the later landmark.
    func merged(with other: SignalState, _ model: ScoringModel) -> SignalState {
        if landmark == 0 { return other }
        if other.landmark == 0 { return self }
        var (left, right) = (self, other)
        let common = max(landmark, other.landmark)
        left.move(to: common, model)
        right.move(to: common, model)
        for index in 0..<Sum.count {
            left.sums[index] =
                Sum.isMaximum(index)
                ? max(left.sums[index], right.sums[index]) : left.sums[index] + right.sums[index]
        }
        left.formLeftAt = max(formLeftAt, other.formLeftAt)
        left.measured |= other.measured
        left.pageViews &+= other.pageViews
        return left
    }
}

extension Sum {
    /// Whether a sum is a decayed maximum instead.
    static func isMaximum(_ index: Int) -> Bool {
        index == Sum.formProgress.index || index == Sum.intentMaximum.index
    }
}
