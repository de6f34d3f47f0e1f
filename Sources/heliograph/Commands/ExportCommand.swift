import ArgumentParser
import Companion
import Foundation
import Records
import Storage

/// `heliograph export`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write down everything that is stored about a person.",
        discussion: """
            JSON Lines, each with the store and what it holds: the live score, every row, what was sent \
            to which destination, and the records that the journal still has. What is sealed or packed \
            is named and not opened.
            """
    )

    @OptionGroup var place: EnginePlace
    @OptionGroup var subject: SubjectArguments

    @Option(help: "File to write, which must not exist; standard output without it.")
    var to: String?

    private struct Line: Encodable {
        let store: String
        let visitor: String?
        let document: [String: String]
    }

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let text = try document(stores).joined(separator: "\n")
            if let to { try BackupFiles.write(text + "\n", to: to) } else { Console.line(text) }
        } catch {
            Console.fail("nothing could be exported: \(error)", status: 1)
        }
    }

    private func document(_ stores: DataStores) throws -> [String] {
        let search = try SubjectSearch(stores)
        let request = try subject.request(.restrict, data: stores.data)
        let visitors = try search.visitors(of: request)
        var lines = try live(visitors, stores)
        try RightsArchive(conninfo: stores.conninfo).export(
            site: subject.site,
            visitors: visitors
        ) { store, row in lines.append("{\"store\":\"\(store)\",\"document\":\(row)}") }
        return lines + (try records(visitors, search))
    }

    private func live(_ visitors: [String], _ stores: DataStores) throws -> [String] {
        let redis = try LiveModelErasure(
            url: stores.redisURL,
            keyPrefix: stores.settings.redis.keyPrefix
        )
        return try visitors.compactMap { visitor in
            let document = try redis.document(site: subject.site, visitor: visitor)
            if document.isEmpty { return nil }
            return try line(Line(store: "redis", visitor: visitor, document: document))
        }
    }

    private func records(_ visitors: [String], _ search: SubjectSearch) throws -> [String] {
        let wanted = RecordSearch(search.key, site: subject.site, visitors)
        var lines: [String] = []
        try search.forEachRecord { record in
            let isOrder = record.header.kind == .erasure || record.header.kind == .parting
            guard !isOrder, wanted.isWanted(record) else { return }
            let header = record.header
            var document = [
                "partition": "\(header.partition.index)", "offset": "\(header.offset)",
                "received_at": Moment.text(header.receivedAt),
            ]
            if header.kind == .slice, let slice = Slice(record.payload) {
                document["session"] = slice.session.text
                document["address"] = slice.address.text
                document["context"] = slice.context.text
                document["events"] = Self.events(slice)
            }
            let made = Line(store: "journal", visitor: nil, document: document)
            if let text = try? line(made) { lines.append(text) }
        }
        return lines
    }

    private static func events(_ slice: Slice) -> String {
        var events: [String] = []
        slice.forEachEvent { _, event in
            events.append("\(event.kind.code) \(event.name.text) \(event.properties.text)")
        }
        return events.joined(separator: "; ")
    }

    private func line(_ line: Line) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(line), as: UTF8.self)
    }
}
