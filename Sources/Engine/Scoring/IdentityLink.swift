public import Bytes
public import Records
public import Units

/// Which person a visitor is read as part of: who it was last identified as, and whether that holds.
struct IdentityLink: BitwiseCopyable, Sendable {
    enum Standing: UInt8, BitwiseCopyable, Sendable {
        /// Never identified.
        case none
        /// Part of the person.
        case joined
        /// Consent to linking was withdrawn; who it was is forgotten.
        case withdrawn
        /// Parted from the person on request: identified as the same once more, it stays apart.
        case parted
    }

    var identityLow: UInt64 = 0
    var identityHigh: UInt64 = 0
    var standing = Standing.none

    /// Whether these bits allow to join what is known of a person's browsers: a browser that is the
    /// same tomorrow, and consent to linking.
    static func isAllowed(_ bits: Consent) -> Bool {
        bits.contains([.measurement, .storage, .linking])
    }

    var identity: Hash128 { Hash128(low: identityLow, high: identityHigh) }

    mutating func join(_ identity: Hash128, _ change: inout LinkChange) {
        if self.identity == identity, standing == .joined || standing == .parted { return }
        (identityLow, identityHigh, standing) = (identity.low, identity.high, .joined)
        tell(.identified, &change)
    }

    mutating func withdraw(_ change: inout LinkChange) {
        guard standing == .joined || standing == .parted else { return }
        if standing == .joined { tell(.withdrawn, &change) }
        (identityLow, identityHigh, standing) = (0, 0, .withdrawn)
    }

    mutating func part(_ change: inout LinkChange) {
        guard standing == .joined else { return }
        standing = .parted
        tell(.parted, &change)
    }

    mutating func rejoin(_ change: inout LinkChange) {
        guard standing == .parted else { return }
        standing = .joined
        tell(.rejoined, &change)
    }

    private func tell(_ cause: LinkChange.Cause, _ change: inout LinkChange) {
        change.cause = cause
        (change.identityLow, change.identityHigh) = (identityLow, identityHigh)
    }

    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        var raw = standing.rawValue
        coder.field(&raw)
        standing = Standing(rawValue: raw) ?? .none
        if standing == .none { return }
        coder.field(&identityLow)
        coder.field(&identityHigh)
    }
}

extension PartitionFold {
    /// A record that identifies its visitor joins it to the person; an opt-out parts them.
    mutating func heedIdentity(
        _ effect: inout FoldEffect,
        _ index: Int,
        _ slice: Slice,
        _ tally: RecordTally
    ) {
        let isAllowed = IdentityLink.isAllowed(slice.consent)
        if slice.flags.contains(.optedOut), !isAllowed {
            table[index].link.withdraw(&effect.link)
        }
        guard tally.identifies, isAllowed, !slice.user.isEmpty,
            !slice.flags.contains(.withoutDevice)
        else { return }
        table[index].link.join(identity(of: slice.user, at: slice.site), &effect.link)
        hasLinks = true
    }

    /// The key of a person: the same user of the same site has the same, and nobody else.
    private mutating func identity(of user: ByteView, at site: ByteView) -> Hash128 {
        scratch.reset()
        scratch.append(site)
        scratch.append(0)
        scratch.append(user)
        return scratch.view.hash128(key: FixedKeys.identity)
    }

    /// Parts a visitor from its person, or joins it again. Nil when that changes nothing. A state that
    /// cannot be read now leaves `offset` where it was: the record is to be brought again.
    public mutating func part(_ header: RecordHeader, _ order: Erasure) -> FoldEffect? {
        let before = offset
        offset = header.offset
        guard order.visitor.count <= ShortText.capacity, let site = knownSite(order.site) else {
            return nil
        }
        let found = find(order.visitor, site)
        if found == .unreadable { offset = before }
        guard let index = found.index else { return nil }
        var effect = FoldEffect(visitorIndex: Int32(index), eventsFolded: 0)
        (effect.session.site, effect.session.visitor) = visitor(at: Int32(index))
        if order.order == .part {
            table[index].link.part(&effect.link)
        } else {
            table[index].link.rejoin(&effect.link)
        }
        guard effect.link.cause != .none else { return nil }
        table[index].offset = header.offset
        return effect
    }
}

/// A visitor as the person it is part of needs it: its sums, and where they stand.
public struct MemberCopy: Sendable {
    /// Site and id.
    public let site: ShortText
    /// The visitor's id.
    public let visitor: ShortText
    /// Offset of the record that changed it last.
    public let offset: UInt64
    /// Its sums.
    public let state: PackedState
    /// What its likelihood needs beside them.
    let context: LearnContext
}

extension MemberCopy {
    /// What can be said about a person: of all members' sums together, as of the newest record of any.
    /// The order of the members does not matter, to the last bit.
    public static func merged(_ members: [MemberCopy], _ model: ScoringModel) -> PackedState? {
        let sorted = members.sorted { $0.visitor.precedes($1.visitor) }
        guard var merged = sorted.first?.state else { return nil }
        for member in sorted.dropFirst() { merged = merged.merged(with: member.state, model) }
        return merged
    }

    /// What a person's likelihood needs beside the merged sums: the latest conversion of any browser,
    /// and the session of the one that was heard of last.
    public static func context(_ members: [MemberCopy]) -> LearnContext {
        let heardAt = members.map(\.state.updatedAt).max() ?? 0
        let latest = members.filter { $0.state.updatedAt == heardAt }
        return LearnContext(
            convertedAt: members.map(\.context.convertedAt).max() ?? 0,
            actions: latest.map(\.context.actions).max() ?? 0
        )
    }

    /// How likely the person is to convert, as of the newest record of any browser.
    public func likelihood(
        as person: PackedState,
        _ context: LearnContext,
        _ book: LearnedBook,
        _ model: ScoringModel
    ) -> Likelihood {
        let features = LearnFeatures(person.signals, at: person.updatedAt, context, model)
        return book.likelihood(features, site: site, model)
    }

    /// The reading that stands at one member's key: the person's score, the member's own last event
    /// and place.
    public func reading(as person: PackedState, _ model: ScoringModel) -> Reading {
        var reading = person.reading(at: person.updatedAt, model)
        (reading.seenAt, reading.offset) = (state.seenAt, offset)
        return reading
    }
}

extension ShortText {
    fileprivate func precedes(_ other: ShortText) -> Bool {
        withBytes { mine in
            other.withBytes { theirs in
                for index in 0..<min(mine.count, theirs.count) where mine[index] != theirs[index] {
                    return mine[index] < theirs[index]
                }
                return mine.count < theirs.count
            }
        }
    }
}

extension VisitorState {
    /// The person that the visitor is read as part of: nil for automated browsers, and while nothing
    /// may be scored.
    var identity: Hash128? {
        link.standing == .joined && !isAutomated && signals.landmark != 0 ? link.identity : nil
    }
}

extension PartitionFold {
    /// The person that the visitor at `index` is read as part of.
    public func identity(of index: Int32) -> Hash128? { table[Int(index)].identity }

    /// Whether the visitor at `index` was ever part of a person.
    public func wasLinked(_ index: Int32) -> Bool { table[Int(index)].link.standing != .none }

    /// A copy of the visitor at `index` for the person that it is part of.
    public func memberCopy(of index: Int32) -> MemberCopy {
        let state = table[Int(index)]
        return MemberCopy(
            site: sites[Int(state.site)],
            visitor: state.visitor,
            offset: state.offset,
            state: PackedState(state),
            context: LearnContext(state)
        )
    }
}

extension ColdState {
    /// The person that the visitor is read as part of.
    public var identity: Hash128? { state.identity }

    /// Whether the visitor was ever part of a person.
    public var wasLinked: Bool { state.link.standing != .none }

    /// A copy of the visitor for the person that it is part of.
    public func memberCopy(site: ShortText) -> MemberCopy {
        MemberCopy(
            site: site,
            visitor: state.visitor,
            offset: state.offset,
            state: PackedState(state),
            context: LearnContext(state)
        )
    }
}
