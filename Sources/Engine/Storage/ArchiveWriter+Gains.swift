import Bytes
import Records

/// Writing conversions, touches and the outbox inside the batch's transaction, after the events that
/// they refer to.
extension ArchiveWriter {
    func writeGains(
        _ connection: any PostgresSession,
        carefully: Bool,
        _ report: inout CommitReport
    ) throws(PostgresFailure) {
        if batch.gains.touches.count > 0 {
            try copy(
                batch.gains.touches.view,
                GainStatements.copyTouches.description,
                "heliograph.touch",
                carefully,
                connection,
                &report
            )
        }
        if !batch.gains.contacts.isEmpty {
            parameters.reset()
            parameters.addContacts(batch.gains.contacts)
            _ = try connection.run(GainStatements.mergeContacts, parameters)
        }
        try writeConversions(connection, carefully, &report)
    }

    private func writeConversions(
        _ connection: any PostgresSession,
        _ carefully: Bool,
        _ report: inout CommitReport
    ) throws(PostgresFailure) {
        let count = batch.gains.conversions.count
        guard count > 0 else { return }
        report.conversions += count
        guard carefully else { return try add(0..<count, connection) }
        let refused = try bisect(count, connection) { range throws(PostgresFailure) in
            try add(range, connection)
        }
        for (_, failure) in refused {
            try keep(.empty, "heliograph.conversion", failure, connection, &report)
        }
    }

    private func add(
        _ range: Range<Int>,
        _ connection: any PostgresSession
    ) throws(PostgresFailure) {
        let rows = batch.gains.conversions[range]
        parameters.reset()
        parameters.addConversions(rows)
        _ = try connection.run(GainStatements.addConversions, parameters)
        guard rows.contains(where: { !$0.row.destinations.isEmpty }) else { return }
        parameters.reset()
        parameters.addDeliveries(rows)
        _ = try connection.run(GainStatements.addDeliveries, parameters)
    }
}
