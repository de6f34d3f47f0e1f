import Settings
import Testing

/// Commands change a settings file that people also write by hand: what they did not ask for stays.
struct SiteFileEditTests {
    private static let file = """
        # Ours.
        ingest:
          port: 8700   # behind nginx

        sites:
          # The shop.
          - name: shop
            keys: [hg_one]   # since May
            origins: ["https://shop.example"]
          - name: "blog"
            keys:
              - hg_two
            origins:
              - https://blog.example

        # The end.
        log:
          level: info
        """

    @Test func aSiteIsAddedBehindTheOthersAndTheRestStays() throws {
        var edit = SiteFileEdit(Self.file)
        edit.add(name: "new", key: "hg_new", origins: ["https://new.example"])
        let settings = try HeliographSettings.parse(edit.text, file: "f")
        #expect(settings.sites.map(\.name) == ["shop", "blog", "new"])
        #expect(settings.sites.last?.origins == ["https://new.example"])
        #expect(settings.ingest.port == 8700)
        for line in Self.file.split(separator: "\n") { #expect(edit.text.contains(line)) }
    }

    @Test(arguments: ["shop", "blog"])
    func aNewKeyComesFirstAndTheOldStaysUntilRetired(site: String) throws {
        var edit = SiteFileEdit(Self.file)
        try edit.addKey("hg_fresh", to: site)
        let rotated = try HeliographSettings.parse(edit.text, file: "f")
        let old = site == "shop" ? "hg_one" : "hg_two"
        #expect(rotated.sites.first { $0.name == site }?.keys == ["hg_fresh", old])
        try edit.removeKey(old, of: site)
        let retired = try HeliographSettings.parse(edit.text, file: "f")
        #expect(retired.sites.first { $0.name == site }?.keys == ["hg_fresh"])
        #expect(edit.text.contains("# since May") && edit.text.contains("# The end."))
    }

    @Test func aFileWithoutSitesGetsThem() throws {
        var edit = SiteFileEdit("log:\n  level: info\n")
        edit.add(name: "first", key: "hg_first", origins: ["*"])
        let settings = try HeliographSettings.parse(edit.text, file: "f")
        #expect(settings.sites.map(\.name) == ["first"] && settings.sites[0].allowsAnyOrigin)
    }

    @Test func whatIsNotThereIsSaid() {
        var edit = SiteFileEdit(Self.file)
        #expect(throws: SiteFileEdit.Failure.self) { try edit.addKey("hg_x", to: "shop2") }
        #expect(throws: SiteFileEdit.Failure.self) { try edit.removeKey("hg_x", of: "blog") }
        #expect(edit.text == Self.file + "\n")
    }
}
