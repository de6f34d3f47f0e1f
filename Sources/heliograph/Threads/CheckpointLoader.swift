import Bytes
import Journal
import Loop
import Records
import Scoring
import Units

/// Loads the newest checkpoint of a partition that can be used, with the cold files that it stands on.
struct CheckpointLoader {
    let checkpoints: PartitionCheckpoints
    let partition: Partition
    let model: ScoringModel
    /// Sums of other fold rules, and states without those in cold files that are gone, are better than
    /// nothing.
    let takesWhatThereIs: Bool
    /// Whether a checkpoint was there that could not be used as it is.
    private(set) var isAnyPassedOver = false

    init(
        checkpoints: PartitionCheckpoints,
        partition: Partition,
        model: ScoringModel,
        takesWhatThereIs: Bool
    ) {
        self.checkpoints = checkpoints
        self.partition = partition
        self.model = model
        self.takesWhatThereIs = takesWhatThereIs
    }

    private enum Attempt {
        case loaded(Handoff<PartitionFold>, [ColdFile], missing: Int)
        case unusable
        /// Files and checkpoint were removed meanwhile, as newer ones were written.
        case outrun
    }

    /// Nil when there is none that can be used.
    mutating func load(
        atOrBefore bound: UInt64,
        _ buffer: inout ByteBuffer,
        into shelf: ColdShelf
    ) throws(SystemCallError) -> Handoff<PartitionFold>? {
        var next = bound
        while let offset = try checkpoints.load(partition, atOrBefore: next, into: &buffer) {
            switch try attempt(buffer.view, offset) {
            case .loaded(let fold, let files, let missing):
                shelf.fill(files)
                shelf.noteLoss(missing)
                return fold
            case .outrun: next = bound
            case .unusable:
                isAnyPassedOver = true
                guard offset > 0 else { return nil }
                next = offset - 1
            }
        }
        return nil
    }

    private func attempt(
        _ content: ByteView,
        _ offset: UInt64
    ) throws(SystemCallError) -> Attempt {
        do throws(ColdError) {
            let found = try ColdList.read(content)
            let serials = found?.list.serials ?? []
            let files = try open(serials)
            if files.count < serials.count, !takesWhatThereIs {
                return try isGone(offset) ? .outrun : .unusable
            }
            let body = content[(found?.length ?? 0)..<content.count]
            guard let fold = fold(body, key: found?.list.key) else { return .unusable }
            return .loaded(fold, files, missing: serials.count - files.count)
        } catch {
            guard case .unreadable(let code) = error else { return .unusable }
            throw SystemCallError(.pread, code: code)
        }
    }

    /// Those that are there and whole.
    private func open(_ serials: [UInt64]) throws(ColdError) -> [ColdFile] {
        var files: [ColdFile] = []
        for serial in serials {
            do throws(ColdError) {
                files.append(try checkpoints.cold(partition).open(serial))
            } catch {
                if case .unreadable = error { throw error }
            }
        }
        return files
    }

    private func isGone(_ offset: UInt64) throws(ColdError) -> Bool {
        do throws(SystemCallError) {
            return try !checkpoints.offsets(partition).contains(offset)
        } catch {
            throw .unreadable(errno: error.code)
        }
    }

    private func fold(_ body: ByteView, key: HashKey?) -> Handoff<PartitionFold>? {
        do throws(CheckpointError) {
            return Handoff(
                try PartitionFold(
                    deserializing: body,
                    model: model,
                    key: key ?? .random(),
                    keepingOldSums: takesWhatThereIs
                )
            )
        } catch {
            // Of another format or other fold rules: the journal decides.
            return nil
        }
    }
}
