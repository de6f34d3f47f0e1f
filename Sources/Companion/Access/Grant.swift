/// What a caller may do, and where.
struct Grant: Sendable, Equatable {
    /// The public part of the token or session; `owner` for the one who runs the engine.
    let id: String
    let name: String
    let scopes: Set<Scope>
    /// Names of the sites; nil stands for all there are.
    let sites: Set<String>?
    /// Epoch milliseconds; nil stands for never.
    let expiresAt: Int64?
    var isSession = false

    /// The one who can read the owner's file of the engine.
    static let ownerID = "owner"

    static let owner = Grant(
        id: ownerID,
        name: "the engine's owner",
        scopes: Set(Scope.allCases),
        sites: nil,
        expiresAt: nil
    )

    func reaches(_ site: String) -> Bool { sites?.contains(site) ?? true }

    /// Whether a credential with these rights may be made by this caller: nobody gives what they have
    /// not got.
    func covers(scopes wanted: Set<Scope>, sites wantedSites: Set<String>?) -> Bool {
        guard wanted.isSubset(of: scopes) else { return false }
        guard let sites else { return true }
        return wantedSites?.isSubset(of: sites) ?? false
    }
}
