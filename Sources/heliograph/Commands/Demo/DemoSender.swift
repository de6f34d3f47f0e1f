import Foundation
import Settings

/// What was sent of a past.
struct DemoTally {
    var visits = 0
    var beacons = 0
    /// Events that are to be stored.
    var events = 0
    /// Events of those who did not agree to be counted: sent, and dropped by the engine.
    var refused = 0
    var purchases = 0
    /// Events that an earlier, unfinished run had brought in.
    var known = 0
}

/// Sends a past to a running engine, over several connections: the visits of one visitor over one of them,
/// in their order, and all connections a beacon at a time, so that they go through the days together and
/// share the journal's writes to the disk.
final class DemoSender {
    /// How often a busy engine is asked again for one beacon.
    private static let triesMaximum = 20

    /// A connection and what it has still to send.
    private struct Lane {
        let connection: IngestConnection
        var plans: [DemoVisitPlan] = []
        var nextPlan = 0
        var beacons: ArraySlice<DemoBeacon> = []
    }

    private let history: DemoHistory
    private let token: String
    /// Events that are stored already.
    private let known: Set<DemoEventID>
    private var lanes: [Lane]
    private var tally = DemoTally()

    init(
        _ history: DemoHistory,
        ingest: String,
        token: String,
        known: Set<DemoEventID>
    ) throws(CommandError) {
        (self.history, self.token, self.known) = (history, token, known)
        lanes = []
        for _ in 0..<Limits.demoConnections {
            lanes.append(Lane(connection: try IngestConnection(ingest: ingest)))
        }
        for plan in history.plans { lanes[plan.visitor % lanes.count].plans.append(plan) }
    }

    /// Sends everything; `progress` hears of the number of visits that are sent.
    func send(progress: (Int) -> Void) throws(CommandError) -> DemoTally {
        while true {
            var sent: [(lane: Int, beacon: DemoBeacon)] = []
            for lane in lanes.indices {
                if let beacon = next(lane) { sent.append((lane, beacon)) }
            }
            if sent.isEmpty { return tally }
            for (lane, beacon) in sent { try write(beacon, lane) }
            for (lane, beacon) in sent { try settle(beacon, lane) }
            progress(tally.visits)
        }
    }

    private func next(_ lane: Int) -> DemoBeacon? {
        while true {
            if let beacon = lanes[lane].beacons.popFirst() {
                if !known.contains(beacon.firstEvent) { return beacon }
                tally.known += beacon.events
                tally.purchases += beacon.purchases
                continue
            }
            guard lanes[lane].nextPlan < lanes[lane].plans.count else { return nil }
            let plan = lanes[lane].plans[lanes[lane].nextPlan]
            lanes[lane].nextPlan += 1
            lanes[lane].beacons = history.beacons(of: plan)[...]
            tally.visits += 1
        }
    }

    private func write(_ beacon: DemoBeacon, _ lane: Int) throws(CommandError) {
        let connection = lanes[lane].connection
        try connection.connect()
        if connection.write(request(beacon, connection)) { return }
        connection.disconnect()
    }

    /// Sees to it that the engine has taken a beacon that was written: sends it again where the connection
    /// broke (the engine tells repeats apart) or the engine is busy.
    private func settle(_ beacon: DemoBeacon, _ lane: Int) throws(CommandError) {
        let connection = lanes[lane].connection
        for _ in 0..<Self.triesMaximum {
            if connection.socket >= 0, let answer = connection.readAnswer() {
                if answer.status == 204 || answer.status == 200 { return note(beacon) }
                guard answer.isBusy else { throw refusal(answer) }
                Thread.sleep(forTimeInterval: Double(min(max(answer.retryAfterSeconds, 1), 10)))
            } else {
                connection.disconnect()
            }
            try write(beacon, lane)
        }
        throw CommandError("the engine is too busy; run the command again to bring in the rest")
    }

    private func note(_ beacon: DemoBeacon) {
        tally.beacons += 1
        tally.events += beacon.events
        tally.refused += beacon.refused
        tally.purchases += beacon.purchases
    }

    private func refusal(_ answer: IngestConnection.Answer) -> CommandError {
        let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
        return CommandError("the engine refuses the history with \(answer.status): \(text)")
    }

    private func request(_ beacon: DemoBeacon, _ connection: IngestConnection) -> [UInt8] {
        let lines = [
            "POST /v1/e HTTP/1.1", "Host: \(connection.host):\(connection.port)",
            "X-Heliograph-Received-At: \(beacon.receivedAt) \(token)\(ReplayGate.historyMark)",
            "User-Agent: \(beacon.userAgent)", "Content-Type: text/plain",
            "Content-Length: \(beacon.body.utf8.count)",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + beacon.body).utf8)
    }
}
