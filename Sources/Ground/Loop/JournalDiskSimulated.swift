import Bytes
import Glibc
import Synchronization

/// A disk in memory that loses power when told to.
///
/// Before `crash` it behaves like any disk. A crash keeps what was synchronised and, of the rest,
/// whatever the seed says: every unsynchronised write is cut into sectors of 512 bytes, and each
/// sector survives or not regardless of order; every change of a name that no directory
/// synchronisation covered survives or not. This is harsher than any real file system, so code
/// that lives through it relies on nothing but `synchronize`.
public final class SimulatedDisk: Sendable {
    /// What a disk writes whole.
    public static let sectorSize = 512

    private let state: Mutex<SimulatedState>
    private let faults: FaultPlan?

    /// Says that files are durable which are not, as some hardware does.
    private let lies: Bool

    /// An empty disk whose crashes are decided by `seed`. One that `lies` makes no file durable.
    public init(
        seed: UInt64,
        capacityBytes: Int = .max,
        faults: FaultPlan? = nil,
        lies: Bool = false
    ) {
        state = Mutex(SimulatedState(seed: seed, capacityBytes: capacityBytes))
        self.faults = faults
        self.lies = lies
    }

    enum Resize { case preallocate, truncate }

    // MARK: - Power

    /// The power fails and comes back. Open files are gone.
    public func crash() { state.withLock { $0.crash() } }

    /// Everything written so far reaches the disk, as if it had idled for a minute.
    public func settle() {
        state.withLock { state in
            for key in state.inodes.keys { state.settle(key) }
            state.durableNames = state.names
            state.pendingNames.removeAll()
        }
    }

    /// The content of a file, for tests that damage it. Nil when there is none.
    public func content(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.inodes[$0]?.current } }
    }

    /// Replaces a file's content, durably, as damage on the medium would.
    public func replace(_ path: String, content: [UInt8]) {
        state.withLock { state in
            let inode = state.names[path] ?? state.create(path)
            state.inodes[inode] = SimulatedInode(durable: content, current: content, pending: [])
            state.durableNames[path] = inode
        }
    }

    // MARK: - Calls

    func open(_ path: String, _ access: JournalDisk.Access) throws(SystemCallError) -> DiskFile {
        try strike(.open)
        let result = state.withLock { state in state.open(path, access) }
        guard case .success(let handle) = result else {
            throw SystemCallError(.open, code: access == .createNew ? EEXIST : ENOENT)
        }
        return DiskFile(descriptor: handle)
    }

    func close(_ file: DiskFile) {
        state.withLock { $0.handles[file.descriptor] = nil }
    }

    func size(_ file: DiskFile) throws(SystemCallError) -> Int {
        try strike(.size)
        return try with(file, .size) { inode in inode.current.count }
    }

    func read(
        _ file: DiskFile,
        into memory: UnsafeMutableRawBufferPointer,
        at offset: Int
    ) throws(SystemCallError) -> Int {
        try strike(.pread)
        nonisolated(unsafe) let target = memory
        return try with(file, .pread) { inode in
            let length = max(0, min(target.count, inode.current.count - offset))
            if length > 0 { target.copyBytes(from: inode.current[offset..<offset + length]) }
            return length
        }
    }

    func write(_ file: DiskFile, _ bytes: ByteView, at offset: Int) throws(SystemCallError) {
        let content = Array(bytes.buffer)
        if faults?.strike(.pwrite) != nil {
            let half = Array(content[0..<content.count / 2])
            _ = try with(file, .pwrite) { inode in inode.write(half, at: offset) }
            throw SystemCallError(.pwrite, code: EIO)
        }
        try with(file, .pwrite) { inode in inode.write(content, at: offset) }
    }

    func synchronize(_ file: DiskFile) throws(SystemCallError) {
        try strike(.fdatasync)
        if lies { return }
        try with(file, .fdatasync) { inode in inode.settle() }
    }

    func resize(_ file: DiskFile, bytes: Int, _ kind: Resize) throws(SystemCallError) {
        let name: SystemCall.Name = kind == .preallocate ? .preallocate : .truncate
        try strike(name)
        let fits = state.withLock { state in
            kind == .truncate || state.bytesUsed + bytes <= state.capacityBytes
        }
        guard fits else { throw SystemCallError(name, code: ENOSPC) }
        try with(file, name) { inode in inode.resize(bytes) }
    }

    func rename(_ source: String, to target: String) throws(SystemCallError) {
        try strike(.rename)
        let found = state.withLock { state in
            guard let inode = state.names.removeValue(forKey: source) else { return false }
            state.names[target] = inode
            state.pendingNames.append(.rename(source, target, inode: inode))
            return true
        }
        if !found { throw SystemCallError(.rename, code: ENOENT) }
    }

    func remove(_ path: String) throws(SystemCallError) {
        try strike(.unlink)
        let found = state.withLock { state in
            guard state.names.removeValue(forKey: path) != nil else { return false }
            state.pendingNames.append(.unlink(path))
            return true
        }
        if !found { throw SystemCallError(.unlink, code: ENOENT) }
    }

    func synchronizeDirectory(_ path: String) throws(SystemCallError) {
        try strike(.fsync)
        state.withLock { $0.synchronizeNames(in: path + "/") }
    }

    func names(in path: String) throws(SystemCallError) -> [String] {
        try strike(.opendir)
        let prefix = path + "/"
        return state.withLock { state in
            state.names.keys.filter { $0.hasPrefix(prefix) }
                .map { String($0.dropFirst(prefix.count)) }.sorted()
        }
    }

    func space() throws(SystemCallError) -> DiskSpace {
        try strike(.freeSpace)
        return state.withLock { state in
            let total = min(state.capacityBytes, 1 << 50)
            return DiskSpace(freeBytes: max(0, total - state.bytesUsed), totalBytes: total)
        }
    }

    private func strike(_ name: SystemCall.Name) throws(SystemCallError) {
        if let code = faults?.strike(name) { throw SystemCallError(name, code: code) }
    }

    /// A file that was open when the power failed answers EIO.
    private func with<Result: Sendable>(
        _ file: DiskFile,
        _ name: SystemCall.Name,
        _ body: (inout SimulatedInode) -> Result
    ) throws(SystemCallError) -> Result {
        let result: Result? = state.withLock { state in
            guard let key = state.handles[file.descriptor] else { return nil }
            return body(&state.inodes[key, default: SimulatedInode()])
        }
        guard let result else { throw SystemCallError(name, code: EIO) }
        return result
    }
}

private enum ContentChange {
    case write(offset: Int, bytes: [UInt8])
    case size(Int)
}

private struct SimulatedInode {
    var durable: [UInt8] = []
    var current: [UInt8] = []
    var pending: [ContentChange] = []
}

private enum NameChange {
    case link(String, inode: Int)
    case unlink(String)
    case rename(String, String, inode: Int)

    /// The name that changes; both of a rename are in one directory.
    var path: String {
        switch self {
        case .link(let path, _), .unlink(let path), .rename(_, let path, _): return path
        }
    }
}

private struct SimulatedState {
    var random: SplitMix64
    var capacityBytes: Int
    var inodes: [Int: SimulatedInode] = [:]
    var names: [String: Int] = [:]
    var durableNames: [String: Int] = [:]
    var pendingNames: [NameChange] = []
    var handles: [Int32: Int] = [:]
    var nextInode = 1
    var nextHandle: Int32 = 1

    init(seed: UInt64, capacityBytes: Int) {
        random = SplitMix64(seed: seed)
        self.capacityBytes = capacityBytes
    }
}

extension SimulatedState {
    var bytesUsed: Int { names.values.reduce(0) { $0 + (inodes[$1]?.current.count ?? 0) } }

    mutating func create(_ path: String) -> Int {
        let inode = nextInode
        nextInode += 1
        inodes[inode] = SimulatedInode()
        names[path] = inode
        pendingNames.append(.link(path, inode: inode))
        return inode
    }

    mutating func open(_ path: String, _ access: JournalDisk.Access) -> Result<Int32, OpenRefused> {
        let existing = names[path]
        let inode: Int
        switch (access, existing) {
        case (.read, let found?), (.readWrite, let found?): inode = found
        case (.createOrReplace, let found?):
            inode = found
            inodes[found]?.resize(0)
        case (.createNew, nil), (.createOrReplace, nil): inode = create(path)
        default: return .failure(OpenRefused())
        }
        let handle = nextHandle
        nextHandle += 1
        handles[handle] = inode
        return .success(handle)
    }

    mutating func settle(_ key: Int) { inodes[key]?.settle() }

    mutating func crash() {
        handles.removeAll()
        applyNames()
        let survival = random.next() % 5
        for key in inodes.keys.sorted() {
            inodes[key]?.crash(survival: survival, &random)
        }
        let reachable = Set(names.values)
        inodes = inodes.filter { reachable.contains($0.key) }
    }

    private mutating func applyNames() {
        for change in pendingNames where random.next() & 1 == 0 { apply(change) }
        pendingNames.removeAll()
        names = durableNames
    }

    private mutating func apply(_ change: NameChange) {
        switch change {
        case .link(let path, let inode): durableNames[path] = inode
        case .unlink(let path): durableNames[path] = nil
        case .rename(let source, let target, let inode):
            if durableNames[source] == inode { durableNames[source] = nil }
            durableNames[target] = inode
        }
    }

    /// Only names in the directory that was synchronised become durable.
    mutating func synchronizeNames(in prefix: String) {
        for change in pendingNames where change.path.hasPrefix(prefix) { apply(change) }
        pendingNames.removeAll { $0.path.hasPrefix(prefix) }
    }
}

private struct OpenRefused: Error {}

extension SimulatedInode {
    mutating func write(_ bytes: [UInt8], at offset: Int) {
        Self.place(bytes[...], at: offset, in: &current)
        pending.append(.write(offset: offset, bytes: bytes))
    }

    mutating func resize(_ count: Int) {
        Self.resize(&current, count)
        pending.append(.size(count))
    }

    /// Applies what is pending instead of copying the whole file, so that the cost is the group's.
    mutating func settle() {
        for change in pending {
            switch change {
            case .size(let count): Self.resize(&durable, count)
            case .write(let offset, let bytes): Self.place(bytes[...], at: offset, in: &durable)
            }
        }
        pending.removeAll()
    }

    /// `survival` 0 keeps nothing, 1 everything, others each sector with a chance of 1 in it.
    mutating func crash(survival: UInt64, _ random: inout SplitMix64) {
        for change in pending where survival != 0 {
            switch change {
            case .size(let count):
                if survival == 1 || random.next() % survival == 0 { Self.resize(&durable, count) }
            case .write(let offset, let bytes):
                writeSectors(bytes, at: offset, survival, &random)
            }
        }
        current = durable
        pending.removeAll()
    }

    private mutating func writeSectors(
        _ bytes: [UInt8],
        at offset: Int,
        _ survival: UInt64,
        _ random: inout SplitMix64
    ) {
        var start = 0
        while start < bytes.count {
            let room = SimulatedDisk.sectorSize - (offset + start) % SimulatedDisk.sectorSize
            let end = min(bytes.count, start + room)
            if survival == 1 || random.next() % survival == 0 {
                Self.place(bytes[start..<end], at: offset + start, in: &durable)
            }
            start = end
        }
    }

    private static func resize(_ content: inout [UInt8], _ count: Int) {
        if count < content.count { content.removeLast(content.count - count) }
        if count > content.count {
            content.append(contentsOf: [UInt8](repeating: 0, count: count - content.count))
        }
    }

    private static func place(_ bytes: ArraySlice<UInt8>, at offset: Int, in content: inout [UInt8])
    {
        if content.count < offset + bytes.count { resize(&content, offset + bytes.count) }
        content.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                memcpy(to + offset, from, source.count)
            }
        }
    }
}

/// Steele, Lea and Flood's SplitMix64: a small generator whose whole state is the seed.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that always gives the same numbers for the same seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
