import Glibc

/// Stops the process with a message when something that cannot happen has happened.
///
/// In optimised builds a failed `precondition` prints nothing, so an operator would see a bare
/// trap. This writes the reason to standard error first.
@inlinable
@inline(__always)
public func invariant(
    _ condition: Bool,
    _ reason: StaticString,
    file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition { invariantFailed(reason, file, line) }
}

/// The cold half of `invariant`, kept out of line so that the check costs one branch.
@inline(never)
public func invariantFailed(_ reason: StaticString, _ file: StaticString, _ line: UInt) -> Never {
    fatalError("invariant broken: \(reason) (\(file):\(line))")
}
