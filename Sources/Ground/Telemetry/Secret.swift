/// A text that must not be seen: a password, a token, a URL with credentials in it.
///
/// It has no printable form: interpolation, `print`, `dump` and mirrors show a fixed mark, and it
/// cannot be encoded. Who needs the text asks for it by name, which is easy to search for.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let text: String

    /// Hides `text`.
    public init(_ text: String) { self.text = text }

    /// Hands the text to `body`; it must not keep or print it.
    public func expose<Result, Failure: Error>(
        _ body: (String) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(text)
    }

    /// A fixed mark, whatever the text.
    public var description: String { "‹secret›" }

    /// A fixed mark, whatever the text.
    public var debugDescription: String { description }

    /// No children, so that mirrors and `dump` find nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
