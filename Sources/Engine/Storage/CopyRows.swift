import Bytes

/// Where the rows of a COPY buffer begin; found by walking the buffer, which only bisection needs.
enum CopyRows {
    /// The start of every row and the end of the last.
    static func boundaries(_ rows: ByteView) -> [Int] {
        var starts = [0]
        var position = 0
        while position < rows.count {
            let fields = Int(Int16(bigEndian: rows.load(Int16.self, at: position)))
            position += 2
            for _ in 0..<fields {
                let length = Int(Int32(bigEndian: rows.load(Int32.self, at: position)))
                position += 4 + max(length, 0)
            }
            starts.append(position)
        }
        return starts
    }
}
