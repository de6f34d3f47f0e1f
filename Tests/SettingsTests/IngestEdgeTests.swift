import Foundation
import Testing

@testable import Settings

/// What the settings say about TLS and proxies is read whole, and every mistake has its line.
@Suite struct IngestEdgeTests {
    private func parse(_ text: String) throws(SettingsError) -> IngestEdge {
        try HeliographSettings.parse(text, file: "h.yaml").ingest.edge
    }

    private func problems(_ text: String) -> [String] {
        do throws(SettingsError) {
            _ = try parse(text)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func withoutAWordThereIsAPlainPortAlone() throws {
        #expect(try parse("") == IngestEdge())
        #expect(IngestEdge().tls == nil)
        #expect(IngestEdge().isPlain)
        #expect(IngestEdge().trustedProxies.isEmpty)
    }

    @Test func everythingIsRead() throws {
        // Files must be there and be readable; what is in them shows when they are loaded.
        let file = NSTemporaryDirectory() + "/hg-edge-\(UUID().uuidString)"
        try Data().write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let edge = try parse(
            """
            ingest:
              plain: false
              proxy_protocol: true
              trusted_proxies: [10.0.0.0/8, "2001:db8::1"]
              unfinished_bytes_maximum: 33554432
              readiness_lead_milliseconds: 0
              tls:
                port: 9443
                proxy_protocol: true
                certificates:
                  - certificate: \(file)
                    key: \(file)
                    names: [shop.example, "*.shop.example"]
                  - { certificate: \(file), key: \(file) }
            """
        )
        #expect(!edge.isPlain)
        #expect(edge.takesProxyHeader)
        #expect(
            edge.trustedProxies == [AddressRange("10.0.0.0/8"), AddressRange("2001:db8::1/128")]
        )
        #expect(edge.heldBytesMaximum == 33_554_432)
        #expect(edge.readinessLeadMilliseconds == 0)
        let tls = try #require(edge.tls)
        #expect(tls.port == 9_443)
        #expect(tls.takesProxyHeader)
        #expect(tls.certificates.map(\.certificate) == [file, file])
        #expect(tls.certificates.map(\.names) == [["shop.example", "*.shop.example"], []])
        #expect(tls.certificates.map(\.place) == ["h.yaml:11", "h.yaml:14"])
    }

    @Test(arguments: [
        ("ingest:\n  trusted_proxies: [10.0.0.1/8]", "h.yaml:2: ", "10.0.0.1/8"),
        ("ingest:\n  trusted_proxies: [localhost]", "h.yaml:2: ", "localhost"),
        ("ingest:\n  plain: false", "h.yaml:2: ", "nothing would be listened to"),
        ("ingest:\n  unfinished_bytes_maximum: 1", "h.yaml:2: ", "must be"),
        ("ingest:\n  tls:\n    port: 1", "h.yaml:2: ", "1 to 64 certificates"),
        (
            "ingest:\n  tls:\n    certificates:\n      - key: /nowhere/k\n", "h.yaml:4: ",
            "certificate is missing"
        ),
        (
            "ingest:\n  tls:\n    certificates:\n      - certificate: /nowhere/c\n        key: k\n",
            "h.yaml:4: ", "/nowhere/c cannot be read: No such file"
        ),
        (
            "ingest:\n  tls:\n    certificates:\n      - names: [a b]\n", "h.yaml:4: ",
            "host names"
        ),
    ])
    func mistakesAreNamed(_ text: String, _ place: String, _ words: String) {
        #expect(problems(text).contains { $0.hasPrefix(place) && $0.contains(words) })
    }

    @Test func certificatesAndProxiesChangeWithoutARestart() throws {
        var old = HeliographSettings()
        var new = old
        new.ingest.edge.trustedProxies = [try #require(AddressRange("10.0.0.0/8"))]
        #expect(new.fixedParts(differingFrom: old).isEmpty)
        old.ingest.edge.tls = TLSPort(port: 1, takesProxyHeader: false, certificates: [])
        new.ingest.edge.tls = TLSPort(
            port: 1,
            takesProxyHeader: false,
            certificates: [TLSCertificate(certificate: "c", key: "k", place: "p")]
        )
        #expect(new.fixedParts(differingFrom: old).isEmpty)
        new.ingest.edge.tls?.port = 2
        #expect(new.fixedParts(differingFrom: old) == ["ingest"])
    }
}
