import Records

// What bands and profiles are called in Redis.

extension Band {
    var liveText: StaticString {
        switch self {
        case .cold: return "cold"
        case .warm: return "warm"
        case .hot: return "hot"
        }
    }
}

extension Profile {
    var liveText: StaticString {
        switch self {
        case .undetermined: return "undetermined"
        case .fastMover: return "fast-mover"
        case .proofDriven: return "proof-driven"
        case .reassurer: return "reassurer"
        case .skeptic: return "skeptic"
        case .optimizer: return "optimizer"
        case .authoritySeeker: return "authority-seeker"
        case .experienceFirst: return "experience-first"
        }
    }
}
