import Foundation
import Glibc

/// What one thread has used since it began.
struct ThreadUsage: Sendable {
    var name: String
    var userSeconds: Double
    var systemSeconds: Double
}

/// What a group of processes has used, and what it holds.
struct GroupUsage: Sendable {
    var userSeconds = 0.0
    var systemSeconds = 0.0
    var residentBytes = 0
    /// By thread id; only for groups of one process.
    var threads: [Int32: ThreadUsage] = [:]
}

/// All groups at one moment.
struct UsageSnapshot: Sendable {
    var groups: [String: GroupUsage] = [:]
    /// What everything on the machine has used, other people's processes included.
    var machineSeconds = 0.0
}

/// Reads /proc for the processes that take part in a run.
struct ProcessTable: Sendable {
    /// Process ids by group: engine, redis, postgres, bench. The first of each is its root.
    var roots: [String: Int32] = [:]
    /// Groups whose children belong to them.
    var families: Set<String> = []

    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// Reads all groups.
    func snapshot() -> UsageSnapshot {
        var snapshot = UsageSnapshot()
        let children = families.isEmpty ? [:] : Self.children()
        for (group, root) in roots {
            let isFamily = families.contains(group)
            snapshot.groups[group] = usage(root, children: isFamily ? children[root] ?? [] : [])
        }
        snapshot.machineSeconds = Self.machineSeconds()
        return snapshot
    }

    /// The parent of a process.
    static func parent(of process: Int32) -> Int32? {
        fields("/proc/\(process)/stat").flatMap { Int32($0[1]) }
    }

    private func usage(_ root: Int32, children: [Int32]) -> GroupUsage {
        var usage = GroupUsage()
        Self.add(root, countsReaped: !children.isEmpty, to: &usage)
        for child in children { Self.add(child, countsReaped: false, to: &usage) }
        let memory = children.isEmpty ? Self.residentSize : Self.proportionalSize
        usage.residentBytes = ([root] + children).reduce(0) { $0 + memory($1) }
        if children.isEmpty { usage.threads = Self.threads(of: root) }
        return usage
    }

    /// Adds a process; with `countsReaped` also the children that it has waited for.
    private static func add(_ process: Int32, countsReaped: Bool, to usage: inout GroupUsage) {
        guard let stat = fields("/proc/\(process)/stat") else { return }
        let seconds = { (index: Int) in (Double(stat[index]) ?? 0) / ticksPerSecond }
        usage.userSeconds += seconds(11) + (countsReaped ? seconds(13) : 0)
        usage.systemSeconds += seconds(12) + (countsReaped ? seconds(14) : 0)
    }

    private static func threads(of process: Int32) -> [Int32: ThreadUsage] {
        var threads: [Int32: ThreadUsage] = [:]
        for thread in numbers(in: "/proc/\(process)/task") {
            let folder = "/proc/\(process)/task/\(thread)"
            guard let stat = fields(folder + "/stat"), let name = text(folder + "/comm") else {
                continue
            }
            threads[thread] = ThreadUsage(
                name: name.trimmingCharacters(in: .whitespacesAndNewlines),
                userSeconds: (Double(stat[11]) ?? 0) / ticksPerSecond,
                systemSeconds: (Double(stat[12]) ?? 0) / ticksPerSecond
            )
        }
        return threads
    }

    private static func residentSize(_ process: Int32) -> Int {
        kibibytes("/proc/\(process)/status", "VmRSS:") * 1_024
    }

    /// The share of memory that falls to a process, so that what PostgreSQL's processes have in
    /// common counts once; where the kernel does not show it, the resident size.
    private static func proportionalSize(_ process: Int32) -> Int {
        let share = kibibytes("/proc/\(process)/smaps_rollup", "Pss:") * 1_024
        return share > 0 ? share : residentSize(process)
    }

    private static func kibibytes(_ path: String, _ label: String) -> Int {
        guard let text = text(path) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix(label) {
            let words = line.split(separator: " ")
            if words.count > 1, let value = Int(words[1]) { return value }
        }
        return 0
    }

    /// User, nice, system and interrupt time of all cores.
    private static func machineSeconds() -> Double {
        guard let line = text("/proc/stat")?.split(separator: "\n").first else { return 0 }
        let ticks = line.split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        guard ticks.count > 6 else { return 0 }
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / ticksPerSecond
    }

    private static func children() -> [Int32: [Int32]] {
        var children: [Int32: [Int32]] = [:]
        for process in numbers(in: "/proc") {
            if let parent = parent(of: process) { children[parent, default: []].append(process) }
        }
        return children
    }

    private static func numbers(in folder: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { Int32($0) }
    }

    /// The fields of a stat file from the process's state on; the name before it may hold blanks.
    private static func fields(_ path: String) -> [Substring]? {
        guard let text = text(path), let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        return fields.count > 14 ? fields : nil
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = fread(&bytes, 1, bytes.count, file)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
