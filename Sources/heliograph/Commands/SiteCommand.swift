import ArgumentParser
import Foundation
import Glibc
import Settings

/// `heliograph site …`
struct SiteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "site",
        abstract: "Look after the sites and their keys.",
        discussion: """
            Changes the configuration file and leaves its comments alone. A running engine takes the \
            change up by itself within two seconds; nothing is restarted.
            """,
        subcommands: [ListCommand.self, AddCommand.self, RotateCommand.self]
    )

    /// `heliograph site list`
    struct ListCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the sites with their keys and origins."
        )

        @Option(help: "Configuration file.")
        var config: String?

        @Flag(help: "Print JSON.")
        var json = false

        private struct Row: Encodable {
            let name: String
            let keys: [String]
            let origins: [String]
        }

        func run() throws {
            let rows = SiteFile.load(config).sites.map { site in
                Row(
                    name: site.name,
                    keys: site.keys,
                    origins: site.allowsAnyOrigin ? ["*"] : site.origins
                )
            }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                return Console.line(String(decoding: try encoder.encode(rows), as: UTF8.self))
            }
            for row in rows {
                Console.line(
                    "\(row.name)\n  keys     \(row.keys.joined(separator: ", "))"
                        + "\n  origins  \(row.origins.joined(separator: ", "))"
                )
            }
        }
    }

    /// `heliograph site add`
    struct AddCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add a site with a key of its own."
        )

        @Argument(help: "Name: a-z, 0-9, - and _. It becomes part of every key in Redis.")
        var name: String

        @Option(help: "Origin of its pages, such as https://shop.example; may be repeated.")
        var origin: [String] = []

        @Option(help: "Configuration file.")
        var config: String?

        func run() throws {
            guard !origin.isEmpty else {
                Console.fail(
                    "name at least one --origin https://…, or --origin '*' for any",
                    status: 64
                )
            }
            let key = SiteFile.freshKey()
            SiteFile.change(config) { $0.add(name: name, key: key, origins: origin) }
            Console.line("site \(name) added with key \(key)")
        }
    }

    /// `heliograph site rotate-key`
    struct RotateCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate-key",
            abstract: "Give a site a new key, or retire an old one.",
            discussion: """
                The old keys stay valid until they are retired with --retire, so that pages in \
                browsers' caches go on counting.
                """
        )

        @Argument(help: "The site's name.")
        var name: String

        @Option(help: "Key to retire instead of making one.")
        var retire: String?

        @Option(help: "Configuration file.")
        var config: String?

        func run() throws {
            if let retire {
                SiteFile.change(config) { edit throws(SiteFileEdit.Failure) in
                    try edit.removeKey(retire, of: name)
                }
                return Console.line("key \(retire) of site \(name) is no longer valid")
            }
            let key = SiteFile.freshKey()
            SiteFile.change(config) { edit throws(SiteFileEdit.Failure) in
                try edit.addKey(key, to: name)
            }
            Console.line("site \(name) has a new key \(key); the old ones stay valid until retired")
        }
    }
}

/// The settings file as the site commands change it: checked before and after, written in one step.
private enum SiteFile {
    static func load(_ path: String?) -> HeliographSettings {
        do {
            return try HeliographSettings.load(path: path)
        } catch {
            Console.fail("\(error)", status: 78)
        }
    }

    static func change(
        _ path: String?,
        _ body: (inout SiteFileEdit) throws(SiteFileEdit.Failure) -> Void
    ) {
        let file = path ?? HeliographSettings.defaultPath
        do {
            var edit = SiteFileEdit(try SettingsText.read(file))
            try body(&edit)
            // What the edit has made is held to the same rules as what a person writes.
            _ = try HeliographSettings.parse(edit.text, file: file)
            try write(edit.text, to: file)
        } catch {
            Console.fail("\(error)\n  The file is as it was.", status: 78)
        }
    }

    private static func write(_ text: String, to file: String) throws {
        var status = stat()
        guard stat(file, &status) == 0 else { throw CocoaError(.fileNoSuchFile) }
        let draft = file + ".tmp"
        try Data(text.utf8).write(to: URL(fileURLWithPath: draft))
        chmod(draft, status.st_mode & 0o777)
        guard rename(draft, file) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// 100 random bits; a key is public, it only must not be guessed by accident.
    static func freshKey() -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return "hg_" + String((0..<20).map { _ in letters.randomElement() ?? "a" })
    }
}
