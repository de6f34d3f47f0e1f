import Admission
import Glibc
import Settings

/// Keeps the sites' daily counts in a file, so that a restart does not give a site its quota anew.
///
/// Written every few seconds: a process that is killed may forget what came since. One line a site:
/// name, day number, events.
struct DayCounts {
    private let path: String
    private let limiter: RateLimiter
    private var secondsUntilSaved = DayCounts.periodSeconds

    private static let periodSeconds = 5

    init(directory: String, limiter: RateLimiter) {
        path = directory + "/quotas"
        self.limiter = limiter
    }

    /// Takes up what was kept. A missing or damaged file means that nothing was.
    func load() {
        guard access(path, R_OK) == 0, let text = try? SettingsText.read(path) else { return }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let day = Int64(parts[1]), let events = Int64(parts[2]) else {
                continue
            }
            limiter.restore(site: String(parts[0]), day: day, events: events)
        }
    }

    /// Called once a second.
    mutating func tick() {
        secondsUntilSaved -= 1
        guard secondsUntilSaved <= 0 else { return }
        secondsUntilSaved = Self.periodSeconds
        save()
    }

    /// Writes the file in one step.
    func save() {
        let counts = limiter.dayCounts.filter { $0.value.events > 0 }
        guard !counts.isEmpty else { return }
        let text = counts.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.day) \($0.value.events)\n" }
            .joined()
        let draft = path + ".tmp"
        guard let file = fopen(draft, "we") else { return }
        fputs(text, file)
        if fclose(file) == 0 { rename(draft, path) }
    }
}
