public import Settings

/// How many days rows of each kind may stay, days of events and of refused events aside: those go as
/// whole tables.
public struct RowRetention: Sendable {
    let sessionDays: Int
    let scoreHistoryDays: Int
    let deliveryDays: Int
    let withdrawalDays: Int
    let refusedDays: Int

    /// As the settings say.
    public init(_ settings: HeliographSettings.Retention) {
        sessionDays = settings.sessionDays
        scoreHistoryDays = settings.scoreHistoryDays
        deliveryDays = settings.deliveryDays
        withdrawalDays = settings.eventDays
        refusedDays = settings.rejectedDays
    }
}

extension RightsArchive {
    private static let rowsPerStatement = 5_000

    /// Takes away rows that are older than they may be, some thousand at a time.
    public func retain(_ retention: RowRetention) throws(ArchiveError) {
        let rules: [(StaticString, Int)] = [
            (Self.oldAttribution, retention.sessionDays),
            (Self.oldConversions, retention.sessionDays),
            (Self.oldTouches, retention.sessionDays),
            (Self.oldSessions, retention.sessionDays),
            (Self.oldDayVisitors, retention.sessionDays),
            (Self.oldDayFigures, Limits.proofDays),
            (Self.oldDayReach, Limits.proofDays),
            (Self.oldDays, Limits.proofDays),
            (Self.oldMarks, Limits.proofDays),
            (Self.oldContacts, retention.sessionDays),
            (Self.oldHistory, retention.scoreHistoryDays),
            (Self.oldDeliveries, retention.deliveryDays),
            (Self.oldPayloads, Limits.deliveryPayloadDays),
            (Self.oldWithdrawals, retention.withdrawalDays),
            (Self.oldRefusedRows, retention.refusedDays),
            (Self.oldConsent, Limits.proofDays),
            (Self.oldErasures, Limits.proofDays),
        ]
        for (statement, days) in rules {
            while try change(statement, days: days) >= Self.rowsPerStatement {}
        }
    }

    private static let oldAttribution: StaticString = """
        DELETE FROM heliograph.attribution WHERE ctid IN (
            SELECT a.ctid FROM heliograph.attribution a JOIN heliograph.conversion c
                USING (site, conversion_id)
            WHERE c.received_at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldConversions: StaticString = """
        DELETE FROM heliograph.conversion WHERE ctid IN (
            SELECT ctid FROM heliograph.conversion
            WHERE received_at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldTouches: StaticString = """
        DELETE FROM heliograph.touch WHERE ctid IN (
            SELECT ctid FROM heliograph.touch
            WHERE at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldSessions: StaticString = """
        DELETE FROM heliograph.session WHERE ctid IN (
            SELECT ctid FROM heliograph.session
            WHERE ended_at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    /// Figures of whole days outlive who they are of.
    private static let oldDayVisitors: StaticString = """
        DELETE FROM heliograph.rollup_visitor WHERE ctid IN (
            SELECT ctid FROM heliograph.rollup_visitor
            WHERE day < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldDayFigures: StaticString = """
        DELETE FROM heliograph.rollup_figure WHERE ctid IN (
            SELECT ctid FROM heliograph.rollup_figure
            WHERE day < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldDayReach: StaticString = """
        DELETE FROM heliograph.rollup_reach WHERE ctid IN (
            SELECT ctid FROM heliograph.rollup_reach
            WHERE day < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldDays: StaticString = """
        DELETE FROM heliograph.rollup_day WHERE ctid IN (
            SELECT ctid FROM heliograph.rollup_day
            WHERE day < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldMarks: StaticString = """
        DELETE FROM heliograph.rollup_stale WHERE ctid IN (
            SELECT ctid FROM heliograph.rollup_stale
            WHERE quarter < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldContacts: StaticString = """
        DELETE FROM heliograph.contact WHERE ctid IN (
            SELECT ctid FROM heliograph.contact
            WHERE updated_at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldHistory: StaticString = """
        DELETE FROM heliograph.score_history WHERE ctid IN (
            SELECT ctid FROM heliograph.score_history
            WHERE at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    /// What is not settled stays for the forwarder, whatever its age.
    private static let oldDeliveries: StaticString = """
        DELETE FROM heliograph.delivery WHERE ctid IN (
            SELECT ctid FROM heliograph.delivery
            WHERE created_at < now() - $1 * interval '1 day'
                AND state IN ('delivered', 'in_doubt', 'dead', 'expired', 'cancelled') LIMIT 5000)
        """

    private static let oldPayloads: StaticString = """
        UPDATE heliograph.delivery
        SET seal = NULL, page_seal = NULL, identify_seal = NULL, click_seal = NULL
        WHERE ctid IN (SELECT ctid FROM heliograph.delivery
            WHERE settled_at < now() - $1 * interval '1 day'
                AND coalesce(seal, page_seal, identify_seal, click_seal) IS NOT NULL LIMIT 5000)
        """

    private static let oldWithdrawals: StaticString = """
        DELETE FROM heliograph.withdrawal WHERE ctid IN (
            SELECT ctid FROM heliograph.withdrawal
            WHERE received_at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldRefusedRows: StaticString = """
        DELETE FROM heliograph.refused_row WHERE ctid IN (
            SELECT ctid FROM heliograph.refused_row
            WHERE refused_at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldConsent: StaticString = """
        DELETE FROM heliograph.consent_record WHERE ctid IN (
            SELECT ctid FROM heliograph.consent_record
            WHERE received_at < now() - $1 * interval '1 day' LIMIT 5000)
        """

    private static let oldErasures: StaticString = """
        DELETE FROM heliograph.erasure WHERE ctid IN (
            SELECT ctid FROM heliograph.erasure
            WHERE completed_at < now() - $1 * interval '1 day' LIMIT 5000)
        """
}
