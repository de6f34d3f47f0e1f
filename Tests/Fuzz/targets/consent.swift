// Modules: Units Bytes Records Settings Privacy
import Bytes
import Privacy
import Records

/// Any bytes as each kind of consent string: they are read the same twice, and one that cannot be
/// read never grants anything.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConsent(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    let framework = TCFConsent(view, vendor: 755)
    guard framework == TCFConsent(view, vendor: 755) else { fatalError("read differently") }
    if let framework, framework.purposes >> 24 != 0 { fatalError("a purpose beyond the last") }
    if let platform = GPPConsent(view), platform.tcf.count > size { fatalError("beyond the text") }
    if let mode = GoogleConsentMode(view), !mode.granted.isDisjoint(with: mode.denied) {
        fatalError("granted and denied at once")
    }
    if USPrivacy.isOptedOut(view) != nil, size != 4 { fatalError("a text of another length") }
    return 0
}
