import Privacy
import Records
import Testing

/// Without the matching bit nothing is done, and the browser's own signal wins over the page.
@Suite struct ConsentGateTests {
    @Test(arguments: 0...63)
    func bitsPassAsTheyAreWithoutAPrivacyControl(_ bits: Int64) {
        let consent = ConsentGate.effective(sent: bits, hasPrivacyControl: false)
        #expect(Int64(consent.rawValue) == bits)
        #expect(ConsentGate.allowsStoring(consent) == (bits & 1 != 0))
        #expect(ConsentGate.allowsDeviceID(consent) == (bits & 2 != 0))
        #expect(ConsentGate.allowsUserID(consent) == (bits & 8 != 0))
    }

    @Test(arguments: 0...63)
    func aPrivacyControlLeavesMeasurementAndStorageAlone(_ bits: Int64) {
        let consent = ConsentGate.effective(sent: bits, hasPrivacyControl: true)
        #expect(Int64(consent.rawValue) == bits & 3)
    }

    @Test(arguments: [(64, 0), (128, 0), (192, 0), (65, 1), (255, 63)])
    func bitsWithoutAMeaningGrantNothing(_ sent: Int64, _ effective: UInt8) {
        let consent = ConsentGate.effective(sent: sent, hasPrivacyControl: false)
        #expect(consent.rawValue == effective)
    }
}
