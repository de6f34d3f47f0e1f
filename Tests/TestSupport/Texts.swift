public import Bytes

/// Looks at the UTF-8 of `text` for the length of `body`.
public func withView<Result>(_ text: String, _ body: (ByteView) throws -> Result) rethrows -> Result
{
    try withView(Array(text.utf8), body)
}

/// Looks at `bytes` for the length of `body`.
public func withView<Result>(
    _ bytes: [UInt8],
    _ body: (ByteView) throws -> Result
) rethrows -> Result {
    try bytes.withUnsafeBytes { try body(ByteView($0)) }
}

/// What `body` writes into a fresh buffer, as text.
public func written(_ body: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer(capacity: 256, limit: 1 << 20)
    body(&buffer)
    return buffer.view.text
}
