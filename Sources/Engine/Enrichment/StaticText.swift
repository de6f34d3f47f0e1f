extension StaticString {
    /// Whether it holds no bytes.
    var isEmpty: Bool { utf8CodeUnitCount == 0 }
}
