import CZlib
import Foundation

/// A file that is written once, packed or not. Owned by the thread that made it.
struct ExportFile: ~Copyable {
    private let file: gzFile
    /// Bytes before packing.
    private(set) var bytesWritten: Int64 = 0

    /// A new file that only its owner can read; nil when it could not be made.
    init?(path: String, isPacked: Bool) {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        guard let file = gzdopen(descriptor, isPacked ? "wb6" : "wbT") else {
            close(descriptor)
            return nil
        }
        self.file = file
    }

    deinit { gzclose(file) }

    /// False when the disk did not take it.
    mutating func write(_ text: String) -> Bool {
        var text = text
        let written = text.withUTF8 { bytes in
            bytes.isEmpty ? 0 : Int(gzwrite(file, bytes.baseAddress, UInt32(bytes.count)))
        }
        bytesWritten += Int64(written)
        return written == text.utf8.count
    }

    /// Ends the file; false when the disk did not take the rest.
    consuming func end() -> Bool {
        let file = file
        discard self
        return gzclose(file) == Z_OK
    }
}
