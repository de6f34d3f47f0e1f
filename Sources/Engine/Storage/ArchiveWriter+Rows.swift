import Bytes
import Records
import Units

/// Writing the rows of a batch inside its transaction.
///
/// The plain way streams everything. When PostgreSQL refuses a row, the transaction is rolled back and
/// the batch is written the careful way: by halves under savepoints, until the row that is at fault
/// stands alone. It is kept in `heliograph.refused_row`; all others are stored.
extension ArchiveWriter {
    func writeRows(
        _ connection: any PostgresSession,
        carefully: Bool,
        _ report: inout CommitReport
    ) throws(PostgresFailure) {
        for rows in batch.days where rows.rows.count > 0 {
            let table = DayTable(.event, day: rows.day)
            let view = rows.rows.view
            try copy(view, table.copyStatement, table.name, carefully, connection, &report)
        }
        for rows in batch.rejectedDays where rows.rows.count > 0 {
            let table = DayTable(.rejected, day: rows.day)
            let view = rows.rows.view
            try copy(view, table.copyStatement, table.name, carefully, connection, &report)
        }
        if batch.historyRows.count > 0 {
            try copy(
                batch.historyRows.view,
                ArchiveStatements.copyHistory.description,
                "heliograph.score_history",
                carefully,
                connection,
                &report
            )
        }
        if batch.withdrawalRows.count > 0 {
            try copy(
                batch.withdrawalRows.view,
                ArchiveStatements.copyWithdrawals.description,
                "heliograph.withdrawal",
                carefully,
                connection,
                &report
            )
        }
        if batch.choiceRows.count > 0 {
            try copy(
                batch.choiceRows.view,
                ArchiveStatements.copyChoices.description,
                "heliograph.consent_record",
                carefully,
                connection,
                &report
            )
        }
        if batch.linkRows.count > 0 {
            try copy(
                batch.linkRows.view,
                ArchiveStatements.copyLinks.description,
                "heliograph.identity_change",
                carefully,
                connection,
                &report
            )
        }
        try mergeSessions(connection, carefully, &report)
        if !batch.gains.isEmpty { try writeGains(connection, carefully: carefully, &report) }
        try markStale(connection)
        if !report.refused.isEmpty { try trimRefused(connection) }
    }

    private func markStale(_ connection: any PostgresSession) throws(PostgresFailure) {
        let quarters = batch.stale.quarters
        if quarters.isEmpty { return }
        parameters.reset()
        parameters.addStale(quarters)
        _ = try connection.run(ArchiveStatements.markStale, parameters)
    }

    /// Last in the transaction, so that what it has just put into the outbox is held against what was
    /// chosen since.
    func cancelDeliveries(_ connection: any PostgresSession) throws(PostgresFailure) {
        if batch.choices.isEmpty { return }
        parameters.reset()
        parameters.addChoices(batch.choices)
        _ = try connection.run(ArchiveStatements.cancelDeliveries, parameters)
    }

    func copy(
        _ rows: ByteView,
        _ statement: String,
        _ source: String,
        _ carefully: Bool,
        _ connection: any PostgresSession,
        _ report: inout CommitReport
    ) throws(PostgresFailure) {
        guard carefully else { return try connection.copy(into: statement, rows: rows) }
        let bounds = CopyRows.boundaries(rows)
        let refused = try bisect(bounds.count - 1, connection) { range throws(PostgresFailure) in
            try connection.copy(
                into: statement,
                rows: rows[bounds[range.lowerBound]..<bounds[range.upperBound]]
            )
        }
        for (index, failure) in refused {
            let row = rows[bounds[index]..<bounds[index + 1]]
            try keep(row, source, failure, connection, &report)
        }
    }

    private func mergeSessions(
        _ connection: any PostgresSession,
        _ carefully: Bool,
        _ report: inout CommitReport
    ) throws(PostgresFailure) {
        if batch.sessions.isEmpty { return }
        guard carefully else { return try merge(0..<batch.sessions.count, connection) }
        let refused = try bisect(batch.sessions.count, connection) {
            range throws(PostgresFailure) in
            try merge(range, connection)
        }
        for (_, failure) in refused {
            try keep(.empty, "heliograph.session", failure, connection, &report)
        }
    }

    private func merge(
        _ range: Range<Int>,
        _ connection: any PostgresSession
    ) throws(PostgresFailure) {
        parameters.reset()
        parameters.addSessions(batch.sessions[range])
        _ = try connection.run(ArchiveStatements.mergeSessions, parameters)
    }

    /// Runs `body` over 0..<count in as few pieces as the faults among them allow; returns the
    /// indexes that fail on their own, in order.
    func bisect(
        _ count: Int,
        _ connection: any PostgresSession,
        _ body: (Range<Int>) throws(PostgresFailure) -> Void
    ) throws(PostgresFailure) -> [(Int, PostgresFailure)] {
        var refused: [(Int, PostgresFailure)] = []
        var pending = [0..<count]
        while let range = pending.popLast() {
            if range.isEmpty { continue }
            try connection.run("SAVEPOINT piece")
            do {
                try body(range)
                try connection.run("RELEASE SAVEPOINT piece")
            } catch {
                guard error.isDataFault else { throw error }
                try connection.run("ROLLBACK TO SAVEPOINT piece; RELEASE SAVEPOINT piece")
                if range.count == 1 {
                    refused.append((range.lowerBound, error))
                } else {
                    let middle = range.lowerBound + range.count / 2
                    pending.append(middle..<range.upperBound)
                    pending.append(range.lowerBound..<middle)
                }
            }
        }
        return refused
    }

    func keep(
        _ row: ByteView,
        _ source: String,
        _ failure: PostgresFailure,
        _ connection: any PostgresSession,
        _ report: inout CommitReport
    ) throws(PostgresFailure) {
        let kept = row[0..<min(row.count, StorageLimits.refusedRowBytesMaximum)]
        parameters.reset()
        parameters.add(text: source)
        parameters.add(text: failure.code)
        parameters.add(text: failure.message)
        parameters.add(type: PostgresType.bytea) { $0.append(kept) }
        _ = try connection.run(ArchiveStatements.keepRefusedRow, parameters)
        report.refused.append(
            RefusedRow(source: source, reason: failure.code, message: failure.message)
        )
    }

    private func trimRefused(_ connection: any PostgresSession) throws(PostgresFailure) {
        parameters.reset()
        parameters.add(type: PostgresType.int8) {
            $0.append(bigEndian: Int64(StorageLimits.refusedRowsMaximum))
        }
        _ = try connection.run(ArchiveStatements.trimRefusedRows, parameters)
    }
}
