import ArgumentParser
import Companion
import Foundation
import Records
import Scoring
import Storage
import Units

/// `heliograph verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Fold the journal anew and compare it with what Redis and PostgreSQL hold.",
        discussion: """
            Works beside a running engine, which goes on undisturbed, or with it stopped. Every \
            event, score, session and visitor that the journal still tells of is compared: whether \
            it is there, once, and unaltered. Exit status: 0 nothing differs, 1 something does, 2 \
            the comparison could not be made.
            """
    )

    @OptionGroup var place: EnginePlace

    @Flag(
        help: """
            Where the journal no longer reaches back to the beginning, begin with PostgreSQL's rows \
            rather than with checkpoints: slower, and nothing is taken for granted.
            """
    )
    var fromRows = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let report = try verify(stores)
            Console.line(json ? report.json : report.text)
            if !report.isClean { throw ExitCode(1) }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            Console.fail("the stores cannot be verified: \(error)", status: 2)
        }
    }

    private func verify(_ stores: DataStores) throws -> VerificationReport {
        var progress = ProgressBar(isSilent: json)
        let models = try stores.models()
        let rows = try EventRows(conninfo: stores.conninfo)
        let positions = try rows.positions()
        let scan = try LiveModelScan(
            url: stores.redisURL,
            keyPrefix: stores.settings.redis.keyPrefix
        )
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        let live = try LiveVerification(scan, models, stores.learned, now: now)
        let minutes = try MinuteVerification(
            scan,
            positions: live.positions,
            nowMilliseconds: now
        )
        let fold = try OfflineFold(
            stores,
            rows,
            models: models,
            preferring: fromRows ? .rows : nil
        ) { progress.update($0) }
        progress.begin("folding", unit: "records", total: fold.estimatedRecords)
        live.takeLoaded(fold.folds)
        minutes.takeLoaded(fold.folds)
        let learned = LearnVerification(stores.learned, models)
        fold.folds.wantExamples(from: 1)
        var archive = ArchiveVerification(
            positions: positions,
            base: fold.base,
            historyBegins: try rows.historyBegins(),
            isWhole: fold.origin != .checkpoints
        )
        var targets = zip(live.targets, positions).map { max($0, $1) }
        minutes.raise(&targets)
        fold.onParting = { live.take($0, parting: $1, $2) }
        try fold.run(until: targets) { step in
            live.take(step)
            minutes.take(step, except: fold.erasedShares)
            archive.take(step)
            learned.take(step)
        }
        progress.end(fold.report.records)
        progress.begin("comparing rows", unit: "rows")
        var parts = try archive.finish(rows)
        parts.append(live.finish())
        parts.append(minutes.finish(fold.folds, except: fold.erasedShares))
        let isWhole = fold.origin == .beginning && fold.erasedShares.isEmpty
        parts.append(try learned.finish(isWhole: isWhole))
        parts.append(try repeats(rows))
        return VerificationReport(
            parts: parts,
            fold: fold,
            refusedRows: try rows.refusedCount()
        )
    }

    private func repeats(_ rows: EventRows) throws -> VerifiedPart {
        var part = VerifiedPart("ids stored once")
        let found = try rows.repeatedIDs()
        part.agree(found.ids - found.repeated)
        for _ in 0..<found.repeated { part.differ("an event is stored more than once") }
        return part
    }
}

/// The result of `verify`.
struct VerificationReport {
    let parts: [VerifiedPart]
    private let origin: OfflineFold.Origin
    private let records: Int
    private let damage: [String]
    private let damageCount: Int
    private let refusedRows: Int

    init(parts: [VerifiedPart], fold: OfflineFold, refusedRows: Int) {
        self.parts = parts
        origin = fold.origin
        records = fold.report.records
        damage = fold.report.damage
        damageCount = fold.report.damageCount
        self.refusedRows = refusedRows
    }

    var isClean: Bool { parts.allSatisfy { $0.different == 0 } }

    private struct Document: Encodable {
        let clean: Bool
        let foldedFrom: String
        let records: Int
        let journalDamage: Int
        let refusedRows: Int
        let parts: [VerifiedPart]
    }

    var json: String {
        Document(
            clean: isClean,
            foldedFrom: origin.rawValue,
            records: records,
            journalDamage: damageCount,
            refusedRows: refusedRows,
            parts: parts
        ).jsonText
    }

    var text: String {
        var lines = ["\(ProgressBar.grouped(records)) records folded, \(beginning)"]
        for part in parts {
            let result = part.different == 0 ? "all agree" : "\(part.different) DIFFER"
            let compared = ProgressBar.grouped(part.compared)
            lines.append("  \(part.name): \(compared) compared, \(result)")
            lines += part.examples.map { "    \($0)" }
        }
        if damageCount > 0 {
            lines.append("  \(damageCount) damaged places in the journal were passed over:")
            lines += damage.map { "    \($0)" }
        }
        if refusedRows > 0 {
            lines.append("  \(refusedRows) rows that PostgreSQL refused: heliograph.refused_row")
        }
        lines.append(isClean ? "clean" : "NOT CLEAN: `heliograph rebuild` writes Redis anew")
        return lines.joined(separator: "\n")
    }

    private var beginning: String {
        switch origin {
        case .beginning: "from the first one on"
        case .checkpoints: "from checkpoints on, where the journal begins"
        case .rows: "from PostgreSQL's rows and the journal behind them"
        }
    }
}
