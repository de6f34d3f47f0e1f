import Foundation
import Loop
import Testing

/// The one wrapper of the file system's calls: real calls work, forced failures reach the caller.
@Suite final class SystemCallsFailWhenToldTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "heliograph-calls-\(UUID().uuidString)"
        try SystemCall().createDirectory(folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Everything that the journal does with a file; returns the bytes read back.
    private func useAFile(_ system: SystemCall) throws(SystemCallError) -> [UInt8] {
        let path = folder + "/file"
        let descriptor = try system.open(path, flags: O_RDWR | O_CREAT | O_TRUNC)
        var isOpen = true
        defer { if isOpen { try? SystemCall().close(descriptor) } }
        try system.lock(descriptor)
        try? system.preallocate(descriptor, bytes: 4_096)
        try writeAll(system, descriptor, [1, 2, 3, 4, 5, 6, 7])
        try system.synchronizeData(descriptor)
        try system.truncate(descriptor, bytes: 5)
        let size = try system.size(descriptor)
        var bytes = [UInt8](repeating: 0, count: size)
        _ = try read(system, descriptor, &bytes)
        isOpen = false
        try system.close(descriptor)
        try system.rename(path, to: folder + "/other")
        let names = try system.names(in: folder).filter { $0 != "." && $0 != ".." }
        #expect(names == ["other"])
        #expect(try space(system) > 0)
        try system.remove(folder + "/other")
        return bytes
    }

    private func writeAll(
        _ system: SystemCall,
        _ descriptor: Int32,
        _ bytes: [UInt8]
    ) throws(SystemCallError) {
        var written = 0
        while written < bytes.count {
            let rest = Array(bytes[written...])
            let outcome = rest.withUnsafeBytes { memory in
                Result { () throws(SystemCallError) in
                    try system.write(descriptor, memory, at: written)
                }
            }
            written += try outcome.get()
        }
    }

    private func read(
        _ system: SystemCall,
        _ descriptor: Int32,
        _ bytes: inout [UInt8]
    ) throws(SystemCallError) -> Int {
        let outcome = bytes.withUnsafeMutableBytes { memory in
            Result { () throws(SystemCallError) in
                try system.read(descriptor, into: memory, at: 0)
            }
        }
        return try outcome.get()
    }

    private func space(_ system: SystemCall) throws(SystemCallError) -> Int {
        let space = try system.space(folder)
        #expect(space.freeBytes <= space.totalBytes)
        return space.totalBytes
    }

    @Test func realCallsWork() throws {
        #expect(try useAFile(SystemCall()) == [1, 2, 3, 4, 5])
    }

    @Test func aShortWriteIsReportedAsOne() throws {
        let system = SystemCall(faults: FaultPlan(writeBytesMaximum: 2))
        #expect(try useAFile(system) == [1, 2, 3, 4, 5])
    }

    @Test func everyCallCanFail() throws {
        let counting = FaultPlan()
        _ = try useAFile(SystemCall(faults: counting))
        #expect(counting.calls >= 11)
        var failed: Set<String> = []
        for call in 1...counting.calls {
            do throws(SystemCallError) {
                _ = try useAFile(SystemCall(faults: FaultPlan(failing: call)))
            } catch {
                failed.insert(error.call.rawValue)
                #expect(error.code == EIO)
            }
            try? SystemCall().remove(folder + "/file")
            try? SystemCall().remove(folder + "/other")
        }
        let wanted: Set = [
            "open", "flock", "pwrite", "fdatasync", "ftruncate", "fstat", "pread", "close",
            "rename",
            "opendir", "statvfs", "unlink",
        ]
        #expect(wanted.isSubset(of: failed))
    }

    @Test func anInterruptedCallIsMadeAgain() throws {
        for call in 1...8 {
            let system = SystemCall(faults: FaultPlan(failing: call, code: EINTR))
            #expect(try useAFile(system) == [1, 2, 3, 4, 5])
        }
    }

    @Test func aFaultMayLastAndBeLifted() throws {
        let plan = FaultPlan(failing: 1, code: ENOSPC, lasts: true)
        let system = SystemCall(faults: plan)
        for _ in 0..<3 {
            let error = #expect(throws: SystemCallError.self) { try system.synchronize(0) }
            #expect(error?.isOutOfSpace == true)
        }
        plan.lift()
        #expect(try useAFile(system) == [1, 2, 3, 4, 5])
        plan.arm(failing: .rename)
        let error = #expect(throws: SystemCallError.self) { try self.useAFile(system) }
        #expect(error?.call == .rename)
    }

    @Test func errorsSayWhatTheyAre() throws {
        let system = SystemCall()
        let missing = #expect(throws: SystemCallError.self) {
            try system.open(self.folder + "/nothing", flags: O_RDONLY)
        }
        #expect(missing?.isMissing == true)
        #expect(missing?.description.hasPrefix("open: ") == true)
        #expect(missing?.description.contains(folder) == false)
        let first = try system.open(folder + "/lock", flags: O_RDWR | O_CREAT)
        let second = try system.open(folder + "/lock", flags: O_RDWR)
        try system.lock(first)
        let locked = #expect(throws: SystemCallError.self) { try system.lock(second) }
        #expect(locked?.isLocked == true)
        try system.close(first)
        try system.lock(second)
        try system.close(second)
        #expect(throws: Never.self) { try system.createDirectory(self.folder) }
    }
}
