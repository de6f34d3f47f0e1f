import Bytes
import Glibc
import Wire

/// Reads streams from standard input, each as a length (32 bits, little-endian) and its bytes, and
/// writes for each what a connection makes of it; `answer` has the form.
///
/// Every stream is framed three times: whole, cut in two, and, with `--every-cut`, cut at every
/// byte. A result that depends on the cuts ends the process with status 3.
@main
struct Main {
    static func main() {
        let cutsEverywhere = CommandLine.arguments.contains("--every-cut")
        let input = readAll()
        var output = ByteBuffer(capacity: 1 << 20, limit: 1 << 30)
        input.withUnsafeBytes { bytes in
            let all = ByteView(bytes)
            var (position, number) = (0, 0)
            while position < all.count {
                let length = Int(all.load(UInt32.self, at: position))
                let stream = all[position + 4..<position + 4 + length]
                let whole = frame(stream)
                check(stream, whole, cutsEverywhere, number)
                answer(whole, into: &output)
                position += 4 + length
                number += 1
            }
        }
        writeAll(output.view, to: 1)
    }

    private static func readAll() -> [UInt8] {
        var bytes = [UInt8]()
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let length = Glibc.read(0, &piece, piece.count)
            if length <= 0 { return bytes }
            bytes += piece[..<length]
        }
    }

    private static func writeAll(_ bytes: ByteView, to descriptor: CInt) {
        var written = 0
        while written < bytes.count {
            let rest = bytes[written..<bytes.count].buffer
            let length = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if length <= 0 { exit(2) }
            written += length
        }
    }

    private static func frame(_ stream: ByteView, cut: Int? = nil) -> Framer {
        var framer = Framer()
        if let cut { framer.receive(stream[0..<cut]) }
        framer.receive(stream[(cut ?? 0)..<stream.count])
        return framer
    }

    private static func check(
        _ stream: ByteView,
        _ whole: borrowing Framer,
        _ everywhere: Bool,
        _ number: Int
    ) {
        guard stream.count > 1 else { return }
        // Spread over the stream without chance, so that a finding can be repeated.
        let only = 1 + (number &* 7919) % (stream.count - 1)
        for cut in everywhere ? 1..<stream.count : only..<only + 1 {
            let parts = frame(stream, cut: cut)
            guard parts.requests == whole.requests, parts.end == whole.end else {
                let text = "stream \(number) cut at \(cut) is framed differently\n"
                text.utf8.withContiguousStorageIfAvailable {
                    writeAll(ByteView(UnsafeRawBufferPointer($0)), to: 2)
                }
                exit(3)
            }
        }
    }

    /// Length of what follows (32 bits), end, reason (255 for none), number of requests (16 bits);
    /// per request flags (1 keeps alive, 2 complete), end (32 bits), lengths of head and body
    /// (32 bits each), head, body.
    private static func answer(_ framer: borrowing Framer, into output: inout ByteBuffer) {
        let start = output.count
        output.append(littleEndian: UInt32(0))
        output.append(framer.end.rawValue)
        output.append(framer.reason?.rawValue ?? 255)
        output.append(littleEndian: UInt16(framer.requests.count))
        for request in framer.requests {
            output.append((request.keepsAlive ? 1 : 0) | (request.isComplete ? 2 : 0))
            output.append(littleEndian: UInt32(request.end))
            output.append(littleEndian: UInt32(request.head.count))
            output.append(littleEndian: UInt32(request.body.count))
            for byte in request.head { output.append(byte) }
            for byte in request.body { output.append(byte) }
        }
        output.overwrite(littleEndian: UInt32(output.count - start - 4), at: start)
    }
}
