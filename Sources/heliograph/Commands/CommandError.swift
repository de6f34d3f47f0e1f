import Glibc

/// Why an operator's command could not do its work, with what to do about it. Printed as it is.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A failed system call.
    static func last(_ what: String) -> CommandError {
        CommandError("\(what): \(String(cString: strerror(errno)))")
    }
}
