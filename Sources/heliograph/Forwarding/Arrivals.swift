import Delivery
import Loop
import Settings
import Storage

/// Decides what becomes of a delivery that has just been claimed: what the log beside the database
/// knows of it, whether it may still be told, and whether the platform would take it.
struct Arrivals {
    let log: OutcomeLog
    let assembly: ConversionAssembly
    /// How claims of this data folder's forwarders begin.
    let folder: String

    /// What becomes of it.
    enum Judgement {
        case settled(OutboxSettlement)
        /// With requests and doubts as the log knows them.
        case toSend(OutboxRow, Conversion)
        /// The log cannot be used.
        case unknown(SystemCallError)
    }

    func judge(
        _ row: OutboxRow,
        for lane: DestinationLane,
        nowMilliseconds now: Int64
    ) -> Judgement {
        let key = row.logKey
        let stand = OutboxStand(
            attempts: row.attempts,
            doubts: row.doubts,
            wasInterrupted: !row.claimant.isEmpty,
            // See `OutboxStatements.takeOver` for the mark of a stranger.
            isClaimantKnown: row.claimant.hasPrefix(folder + "/") && !row.claimant.hasSuffix("?")
        )
        do throws(SystemCallError) {
            switch log.standing(of: key, stand) {
            case .ready(let attempts):
                return send(row.with(attempts: attempts, doubts: row.doubts), lane, now)
            case .delivered(let attempts):
                var settlement = OutboxSettlement(row, .delivered)
                (settlement.attempts, settlement.reason) = (attempts, "known-from-log")
                return .settled(settlement)
            case .ended(let kind, let toll): return .settled(ended(row, kind, toll))
            case .unproved(let toll):
                try note(toll, .doubt, row, now)
                var settlement = OutboxSettlement(row.with(toll), .held)
                settlement.reason = "database-rolled-back"
                return .settled(settlement)
            case .interrupted(let toll): return try interrupted(row, toll, lane, now)
            }
        } catch {
            return .unknown(error)
        }
    }

    private func ended(
        _ row: OutboxRow,
        _ kind: OutcomeNote.Kind,
        _ toll: OutcomeToll
    ) -> OutboxSettlement {
        let state: OutboxSettlement.State
        switch kind {
        case .dead: state = .dead
        case .expired: state = .expired
        default: state = .inDoubt
        }
        var settlement = OutboxSettlement(row.with(toll), state)
        settlement.reason = "known-from-log"
        return settlement
    }

    /// A request may have carried it when a forwarder died: sent again where a copy does little harm,
    /// kept in doubt where it would count twice.
    private func interrupted(
        _ row: OutboxRow,
        _ toll: OutcomeToll,
        _ lane: DestinationLane,
        _ now: Int64
    ) throws(SystemCallError) -> Judgement {
        let mayRepeat = assembly.conversion(of: row).map(lane.repeats) ?? false
        try note(toll, mayRepeat ? .doubt : .inDoubt, row, now)
        if mayRepeat { return send(row.with(toll), lane, now) }
        var settlement = OutboxSettlement(row.with(toll), .inDoubt)
        settlement.reason = "forwarder-died"
        return .settled(settlement)
    }

    private func note(
        _ toll: OutcomeToll,
        _ kind: OutcomeNote.Kind,
        _ row: OutboxRow,
        _ now: Int64
    ) throws(SystemCallError) {
        if toll.isNoted { return }
        let mark = DeliveryMark(
            key: row.logKey,
            attempt: toll.attempts,
            attemptsWhenClaimed: row.attempts
        )
        try log.note([(mark, kind)], nowMilliseconds: now)
    }

    private func send(_ row: OutboxRow, _ lane: DestinationLane, _ now: Int64) -> Judgement {
        guard let conversion = assembly.conversion(of: row) else {
            var settlement = OutboxSettlement(row, .cancelled)
            settlement.reason = "conversion-gone"
            return .settled(settlement)
        }
        var settlement: OutboxSettlement
        switch lane.destination.judge(conversion, nowMilliseconds: now) {
        case .ready: return .toSend(row, conversion)
        case .expired:
            settlement = OutboxSettlement(row, .expired)
            settlement.reason = "too-old"
        case .refused(let reason):
            settlement = OutboxSettlement(row, .dead)
            settlement.reason = reason
        case .forbidden(let reason):
            settlement = OutboxSettlement(row, .cancelled)
            settlement.reason = reason
        }
        return .settled(settlement)
    }
}

extension OutboxRow {
    fileprivate func with(attempts: Int, doubts: Int) -> OutboxRow {
        var row = self
        (row.attempts, row.doubts) = (attempts, doubts)
        return row
    }

    fileprivate func with(_ toll: OutcomeToll) -> OutboxRow {
        with(attempts: toll.attempts, doubts: toll.doubts)
    }
}
