import ArgumentParser
import Bytes
import Delivery
import Glibc

/// `heliograph destination`: what outside APIs are told, tried out by hand.
struct DestinationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destination",
        abstract: "Try out what destinations are told.",
        subcommands: [DestinationNormalizeCommand.self, DestinationTestCommand.self]
    )
}

/// `heliograph destination normalize`: what becomes of contact data before it is hashed.
struct DestinationNormalizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "normalize",
        abstract: "Say how contact data and browser ids are normalised and hashed.",
        discussion: """
            Reads a JSON object from standard input: `vectors` and `ga4_user_data` are lists of \
            {"field": …, "input": …}, `param_builder_fbc_fbp` lists hosts, queries and cookies. Writes \
            one JSON line per input: id, field, input, normalized (the text that is hashed), output \
            (what is sent); null where the field is left out. A value of 64 hexadecimal digits counts \
            as hashed before. Nothing is sent or kept. Status 65 means that a field is not known.
            """
    )

    @Option(help: "Calling code of telephone numbers without one, such as 49.")
    var callingCode: String?

    @Flag(
        help: """
            Only hold the result against the file's own values: prints how many agree, and names \
            those that differ on standard error with status 1.
            """
    )
    var check = false

    func run() throws {
        let context = MetaField.Context(
            callingCode: callingCode,
            nowMilliseconds: Int64(time(nil)) * 1_000
        )
        guard let vectors = FieldVectors(Self.standardInput(), context) else {
            Console.fail("standard input is no JSON object", status: 65)
        }
        if check { compare(vectors) } else { write(vectors) }
        if vectors.rows.contains(where: \.isUnknown) { throw ExitCode(65) }
        if check, vectors.passed < vectors.compared { throw ExitCode(1) }
    }

    private func write(_ vectors: FieldVectors) {
        var output = ByteBuffer(capacity: 64 * 1024, limit: 256 * 1024 * 1024)
        for row in vectors.rows {
            row.line.withUnsafeBytes { output.append(ByteView($0)) }
            output.append("\n")
        }
        Console.write(output.view)
    }

    private func compare(_ vectors: FieldVectors) {
        for row in vectors.rows where row.agrees == false {
            Console.note("differs: \(String(decoding: row.line, as: UTF8.self))")
        }
        var output = ByteBuffer(capacity: 64)
        output.append(text: "\(vectors.passed) of \(vectors.compared) agree\n")
        Console.write(output.view)
    }

    private static let inputBytesMaximum = 64 * 1024 * 1024

    private static func standardInput() -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count < inputBytesMaximum {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[0..<count]
        }
        return bytes
    }
}
