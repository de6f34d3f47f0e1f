import Bytes
import Loop
import Scoring

/// What the engine has learned held against what the same records teach when they are folded anew, in
/// one thread and without a stop: every edition that is kept, byte for byte.
final class LearnVerification {
    private let files: LearnedFiles
    private let models: ModelTimeline
    private var school = LearnSchool()
    private var made = ByteBuffer(capacity: 1 << 16, limit: 1 << 28)
    private var part = VerifiedPart("editions of what was learned")
    private var problem: SystemCallError?

    init(_ files: LearnedFiles, _ models: ModelTimeline) {
        (self.files, self.models) = (files, models)
    }

    func take(_ step: OfflineFold.Step) {
        let (models, sequence) = (models, step.header.sequence)
        var editions: [LearnedBook] = []
        school.advance(
            through: max(1, sequence) - 1,
            model: { models.model($0, at: $1).model },
            onMerged: { _, book in editions.append(book) }
        )
        for book in editions { compare(book) }
        let lessons = step.fold.value.takeLessons()
        if !lessons.isEmpty { school.take(lessons) }
    }

    private func compare(_ book: LearnedBook) {
        do throws(SystemCallError) {
            guard let kept = try files.edition(book.edition, models.latest),
                kept.foldRules == book.foldRules
            else { return }
            made.reset()
            book.serialize(into: &made)
            let bytes = Array(made.view.buffer)
            made.reset()
            kept.serialize(into: &made)
            if made.view.buffer.elementsEqual(bytes) { return part.agree() }
            part.differ("edition \(book.edition), up to record \(book.through)")
        } catch {
            problem = error
        }
    }

    /// `isWhole` says that every record of the past was folded, and nobody was erased from it.
    func finish(isWhole: Bool) throws(SystemCallError) -> VerifiedPart {
        if let problem { throw problem }
        return isWhole ? part : VerifiedPart(part.name)
    }
}
