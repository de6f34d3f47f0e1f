import ArgumentParser
import Foundation
import Glibc
import Storage

/// `heliograph erase`
struct EraseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Make every store forget a person, and keep a signed receipt.",
        discussion: """
            The running engine does it: Redis, PostgreSQL, the journal, checkpoints, files of idle \
            visitors, refused events and deliveries; then it rewrites what still holds the bytes. From \
            then on nothing is taken of the person for 13 months. A request survives any end of the \
            engine. Backups are not edited: `heliograph restore` makes the erasures again.
            """,
        subcommands: [Run.self, EraseVerifyCommand.self],
        defaultSubcommand: Run.self
    )

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Erase a person.",
            shouldDisplay: false
        )

        @OptionGroup var place: EnginePlace
        @OptionGroup var subject: SubjectArguments

        @Flag(help: "Only show what there is.")
        var dryRun = false

        @Flag(help: "Do not ask.")
        var yes = false

        @Flag(help: "Print the receipt as JSON.")
        var json = false

        func run() throws {
            do {
                let data = Files.absolute(place.data)
                if dryRun { return Console.line(try preview(data)) }
                try confirm()
                let request = try subject.request(.erase, data: data)
                let handed = try HandedRequest(request, data: data)
                let path = try handed.wait(data: data, isSilent: json)
                try show(path, handed.folder.receipt(of: request.id) ?? "")
            } catch let exit as ExitCode {
                throw exit
            } catch {
                Console.fail("nobody was erased, or not wholly: \(error)", status: 1)
            }
        }

        private func confirm() throws {
            if yes { return }
            Console.note("This cannot be undone. Type yes to erase:")
            guard readLine() == "yes" else { throw CommandError("nothing was done") }
        }

        private func preview(_ data: String) throws -> String {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let request = try subject.request(.erase, data: data)
            let found = try SubjectSearch(stores).preview(request)
            return json ? found.jsonText : found.text
        }

        private func show(_ path: String, _ receipt: String) throws {
            let signed = try SignedReceipt.read(at: path)
            if json { Console.line(receipt) } else { Console.line(text(signed.receipt, path)) }
            if signed.receipt.remaining > 0 { throw ExitCode(1) }
        }

        private func text(_ receipt: Receipt, _ path: String) -> String {
            let found = receipt.found.map { "  \($0.store): \($0.count)" }
            let missed = receipt.notDone.map { "  not done: \($0)" }
            return
                (["\(receipt.subjects.count) subjects of \(receipt.site) are erased:"] + found
                + missed + ["  receipt: \(path)"]).joined(separator: "\n")
        }
    }
}

/// `heliograph erase verify`
struct EraseVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a receipt's signature, and that nothing of its subjects is found again.",
        discussion: "Status 0: genuine, and nothing is found. 1: not so. 2: it cannot be said."
    )

    @OptionGroup var place: EnginePlace

    @Argument(help: "The receipt.")
    var receipt: String

    @Flag(help: "Print the result as JSON.")
    var json = false

    struct Result: Encodable {
        let genuine: Bool
        let subjects: Int
        let found: [SubjectSearch.Find]
    }

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let signed = try SignedReceipt.read(at: receipt)
            let search = try SubjectSearch(stores)
            let result = Result(
                genuine: signed.isGenuine(search.key),
                subjects: signed.receipt.subjects.count,
                found: try search.find(Set(signed.receipt.subjects))
            )
            Console.line(json ? result.jsonText : text(result))
            if !result.genuine || !result.found.isEmpty { throw ExitCode(1) }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            Console.fail("the receipt cannot be checked: \(error)", status: 2)
        }
    }

    private func text(_ result: Result) -> String {
        let signature = result.genuine ? "genuine" : "NOT GENUINE: it was changed, or is another's"
        let found = result.found.map { "  \($0.store): \($0.subjects) of its subjects are FOUND" }
        return
            (["\(signature); \(result.subjects) subjects"]
            + (found.isEmpty ? ["  nothing of them is found"] : found)).joined(separator: "\n")
    }
}

/// `heliograph restrict`
struct RestrictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restrict",
        abstract: "Take nothing more of a person, without erasing what there is."
    )

    @OptionGroup var place: EnginePlace
    @OptionGroup var subject: SubjectArguments

    @Flag(help: "Take events of the person again.")
    var lift = false

    @Flag(help: "Print the receipt as JSON.")
    var json = false

    func run() throws {
        do {
            let data = Files.absolute(place.data)
            let request = try subject.request(lift ? .lift : .restrict, data: data)
            let handed = try HandedRequest(request, data: data)
            let path = try handed.wait(data: data, isSilent: true)
            let what = lift ? "events are taken again" : "nothing more is taken"
            Console.line(
                json ? handed.folder.receipt(of: request.id) ?? "" : "\(what); receipt: \(path)"
            )
        } catch {
            Console.fail("the request is not carried out: \(error)", status: 1)
        }
    }
}
