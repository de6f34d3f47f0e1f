// Goal: the repository keeps its own rules, so that a reader can rely on them.
// Method: each rule is a function from files to complaints (see the …Checks.swift files); here
// every rule runs over every file that git knows. TidyCanFailTests shows that each rule can fail.
import Testing

@Suite struct TidyRepositoryTests {
    let repository = Repository.shared

    private func expectNone(_ findings: [Finding]) {
        #expect(
            findings.isEmpty,
            "\n\(findings.map(\.description).joined(separator: "\n"))"
        )
    }

    @Test func theRepositoryIsSeen() {
        #expect(repository.files.contains { $0.path == "Package.swift" && !$0.text.isEmpty })
        #expect(repository.swift.count { $0.isUnder("Sources") } >= 20)
    }

    @Test func functionsFitOnAPage() {
        expectNone(checkFunctionLengths(repository.swift, allowed: longFunctionsAllowed))
        expectNone(repository.files.flatMap(checkPythonFunctionLengths))
    }

    @Test func filesAreSplitByConcern() {
        expectNone(repository.files.flatMap(checkFileLength))
    }

    @Test func uncheckedSendableIsRareAndExplained() {
        expectNone(repository.swift.flatMap(checkUncheckedSendable))
        let count = repository.swift.reduce(0) { $0 + uncheckedLines($1).count }
        #expect(count <= uncheckedCountMax)
    }

    @Test func nothingIsForced() {
        expectNone(repository.swift.flatMap(checkForcing))
    }

    @Test func onlyCommandsPrint() {
        expectNone(repository.swift.flatMap(checkPrinting))
    }

    @Test func groundAndEngineDoWithoutFoundation() {
        expectNone(repository.swift.flatMap(checkFoundation))
    }

    @Test func stagesDoNotKnowEachOther() {
        let stages = stages(of: repository.files)
        #expect(stages.contains("Journal"))
        expectNone(repository.swift.flatMap { checkLayers($0, stages: stages) })
    }

    @Test func statementsAreNotPastedTogether() {
        expectNone(repository.swift.flatMap(checkInjection))
    }

    @Test func theLanguagesChecksStayOn() {
        expectNone(repository.files.flatMap(checkOptimiserHoles))
    }

    @Test func nothingIsLeftUnfinished() {
        expectNone(repository.files.flatMap(checkUnfinished))
    }

    @Test func filesAreOfKnownKindsAndSizes() {
        expectNone(repository.files.flatMap(checkKind))
        expectNone(repository.files.flatMap(checkSize))
    }

    @Test func noMachineAndNoRegistryIsNamed() {
        expectNone(repository.files.flatMap(checkMachinePaths))
        expectNone(repository.files.flatMap(checkRegistryHosts))
    }
}
