import Privacy
import Records
import Testing

/// Without the matching bit nothing is done.
@Suite struct ConsentGateTests {
    @Test(arguments: 0...63)
    func eachBitAllowsItsOwnPart(_ bits: UInt8) {
        let consent = Consent(rawValue: bits)
        #expect(ConsentGate.allowsStoring(consent) == (bits & 1 != 0))
        #expect(ConsentGate.allowsDeviceID(consent) == (bits & 2 != 0))
        #expect(ConsentGate.allowsUserID(consent) == (bits & 8 != 0))
    }
}
