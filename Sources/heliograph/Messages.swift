/// The messages in the ring from a listener to the journal.
///
/// `slice`: first = connection, second = received at (epoch ms), third = partition and, in the bits
/// from 8 on, the number of the wait for its score or 0, body = slice.
/// `rejection`: second = received at, third = partition, body = `Rejection`; nobody waits for it.
/// `erasure`, `parting`: first = third = partition, second = received at, body = `Erasure`; from the
/// eraser only.
enum ListenerMessage: UInt32 {
    case slice = 1
    case rejection = 2
    case erasure = 3
    case parting = 4
}

/// The messages in the ring from the journal to a listener. First = connection.
///
/// `durable`: second = segment, third = byte in it where the record ends; of an erasure, second =
/// sequence and third = offset.
enum JournalAnswer: UInt32 {
    case durable = 1
    case full, tooScattered, tooLarge
}

/// The messages in the ring from the journal to a worker, and from a worker to the archive.
///
/// First = sequence of the record, second = sequence of the record before it on the same way, pushed
/// or not: by it a reader sees that it has missed something. Third = the `ScoreTicket` of whoever waits
/// for the score, to a worker; else 0. Body = the whole journal record; from a worker to the archive a
/// `FoldEffect` follows as trailer.
enum RecordMessage: UInt32 {
    case record = 1
}
