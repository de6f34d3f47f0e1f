// Goal: a rule that cannot fail is no rule. Method: feed each check something bad and something
// good that looks like it, and expect a complaint for the first and none for the second.
import Testing

@Suite struct TidyCanFailTests {
    private func engine(_ text: String) -> SourceFile {
        SourceFile(path: "Sources/Engine/Journal/Probe.swift", text: text)
    }

    private func swiftFunction(lines: Int) -> String {
        "func probe(\n    a: Int\n)\n    -> Int\n{\n"
            + String(repeating: "    step(\"}\")  // }\n", count: lines - 6) + "}\n"
    }

    @Test func longFunctionIsFound() {
        let long = engine(swiftFunction(lines: functionLinesMax + 1))
        let found = checkFunctionLengths([long], allowed: [:])
        #expect(found.map(\.line) == [1])
        let fits = engine(swiftFunction(lines: functionLinesMax))
        #expect(checkFunctionLengths([fits], allowed: [:]).isEmpty)
    }

    @Test func requirementWithoutBodyHasNoLength() {
        let text = "protocol P {\n    func a()\n    func b() -> Int\n}\nstruct S {\n}\n"
        #expect(functionLengths(engine(text)).isEmpty)
    }

    @Test func initialisersCountButCallsToThemDoNot() {
        let text = "struct S {\n    init(a: Int) {\n        self.init()\n    }\n    deinit {}\n}\n"
        #expect(functionLengths(engine(text)).map(\.name) == ["init", "deinit"])
    }

    @Test func ratchetOnlyShrinks() {
        let long = engine(swiftFunction(lines: 90))
        let key = "\(long.path) probe"
        #expect(checkFunctionLengths([long], allowed: [key: 90]).isEmpty)
        #expect(!checkFunctionLengths([long], allowed: [key: 89]).isEmpty)
        #expect(!checkFunctionLengths([long], allowed: [key: 91]).isEmpty)
        #expect(!checkFunctionLengths([], allowed: [key: 90]).isEmpty)
    }

    @Test func longPythonFunctionIsFound() {
        func python(lines: Int) -> SourceFile {
            let body = String(repeating: "    step()\n\n", count: lines / 2)
            return SourceFile(path: "a.py", text: "def probe():\n\(body)\nother()\n")
        }
        #expect(checkPythonFunctionLengths(python(lines: functionLinesMax + 2)).map(\.line) == [1])
        #expect(checkPythonFunctionLengths(python(lines: functionLinesMax)).isEmpty)
        let flat = SourceFile(path: "a.py", text: "def a():\n    step()\n\nstep()\n")
        #expect(checkPythonFunctionLengths(flat).isEmpty)
    }

    @Test func longFileIsFound() {
        let text = String(repeating: "\n", count: fileLinesMax)
        #expect(checkFileLength(engine(text)).isEmpty)
        #expect(checkFileLength(engine(text + "\n")).count == 1)
    }

    @Test func uncheckedSendableIsFound() {
        let text = "final class A: \(uncheckedMark) {}\n"
        #expect(checkUncheckedSendable(engine(text)).count == 1)
        let ring = SourceFile(path: "Sources/Ground/Rings/A.swift", text: text)
        #expect(checkUncheckedSendable(ring).count == 1)
        let explained = SourceFile(
            path: "Sources/Ground/Rings/A.swift",
            text: "// Sendable because: the tail is atomic.\n" + text
        )
        #expect(checkUncheckedSendable(explained).isEmpty)
    }

    @Test(arguments: [
        "let a = try! b()", "let a = b as! C", "let a = b!", "let a = b[0]!.c", "call(a!)",
        "var a: B = c!",
    ])
    func forcingIsFound(line: String) {
        #expect(checkForcing(engine(line)).count == 1)
    }

    @Test(arguments: [
        "if a != b { }", "if !a { }", "let a = \"b!\"", "// wow!", "private var table: Table!",
    ])
    func exclamationElsewhereIsFine(line: String) {
        #expect(checkForcing(engine(line)).isEmpty)
    }

    @Test func printingIsFound() {
        #expect(checkPrinting(engine("print(\"a\")")).count == 1)
        #expect(checkPrinting(engine("x.print(1); fingerprint(2) // print(3)")).isEmpty)
        let command = SourceFile(path: "Sources/heliograph/A.swift", text: "print(\"a\")")
        #expect(checkPrinting(command).isEmpty)
    }

    @Test(arguments: [
        "import Foundation", "public import Foundation", "@preconcurrency import Foundation",
        "import struct Foundation.URL", "import FoundationEssentials",
    ])
    func foundationIsFound(line: String) {
        #expect(checkFoundation(engine(line)).count == 1)
    }

    @Test func stageImportingAStageIsFound() {
        let stages: Set<String> = ["Journal", "Wire"]
        #expect(checkLayers(engine("import Units\npublic import Wire"), stages: stages).count == 1)
        #expect(checkLayers(engine("import Units // import Wire"), stages: stages).isEmpty)
        let ground = SourceFile(path: "Sources/Ground/Units/A.swift", text: "import Journal")
        #expect(checkLayers(ground, stages: stages).count == 1)
    }

    @Test(arguments: [
        "send(\"SELECT a FROM b WHERE c = '\\(d)'\")",
        "send(\"\"\"\n    INSERT INTO \\(a)\n\"\"\")",
        "send(\"HSET \\(key) a 1\")",
    ])
    func pastedStatementIsFound(text: String) {
        #expect(checkInjection(engine(text)).count == 1)
    }

    @Test func parametersAndExplainedNamesAreFine() {
        #expect(checkInjection(engine("send(\"SELECT a FROM b WHERE c = $1\")")).isEmpty)
        #expect(checkInjection(engine("log(\"set \\(a)\")")).isEmpty)
        let text = "// Pasted because: the day comes from a counter.\nsend(\"CREATE \\(a)\")"
        #expect(checkInjection(engine(text)).isEmpty)
    }

    @Test func switchedOffChecksAreFound() {
        #expect(checkOptimiserHoles(engine("[.unsafe" + "Flags([])]")).count == 1)
        #expect(checkOptimiserHoles(engine("swiftc -Oun" + "checked")).count == 1)
    }

    @Test func unfinishedMarksAreFound() {
        #expect(checkUnfinished(engine("// TO" + "DO: later")).count == 1)
        #expect(checkUnfinished(engine("fatalError(\"not impl" + "emented\")")).count == 1)
        #expect(checkUnfinished(engine("// Not yet impl" + "emented")).count == 1)
        #expect(checkUnfinished(engine("mktemp a.XXXXXX; MASTODON; 501 Not Implemented")).isEmpty)
    }

    @Test func blobsAndUnknownKindsAreFound() {
        let blob = SourceFile(path: "a.json", byteCount: blobBytesMax + 1)
        #expect(checkSize(blob).count == 1)
        #expect(checkKind(SourceFile(path: "a.exe", text: "")).count == 1)
        #expect(checkKind(SourceFile(path: "deploy/a", text: "echo")).count == 1)
        #expect(checkKind(SourceFile(path: "deploy/a", text: "#!/bin/sh\n")).isEmpty)
    }

    @Test func machinePathsAndRegistriesAreFound() {
        #expect(checkMachinePaths(engine("cd /wo" + "rk/main")).count == 1)
        #expect(checkMachinePaths(engine("https://shop.example/wo" + "rk/")).isEmpty)
        #expect(checkRegistryHosts(engine("pip -i https://py" + "pi.org/simple")).count == 1)
    }
}
