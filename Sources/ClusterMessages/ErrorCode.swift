/// Why a peer refuses or failed, in words a program can act on; a text beside it speaks to people.
package enum ErrorCode: String, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
    /// No protocol version is spoken by both.
    case version
    /// The key, token or role does not permit it.
    case auth
    /// The message belongs to another run.
    case runMismatch
    /// The node's teacher has another hash than the run's.
    case teacherMismatch
    /// The sender has not heard of the latest membership.
    case staleEpoch
    /// Another lease of the batch was granted since.
    case staleFence
    /// A live node already has this name or key.
    case duplicateNode
    /// The batch was never issued.
    case unknownBatch
    /// The lease or session is over.
    case expired
    /// The named trajectory, file or manifest is not here.
    case notFound
    /// Bytes do not have the hash they should.
    case corrupt
    /// More bytes or items than permitted.
    case tooLarge
    /// No room for more work now.
    case noCapacity
    /// The offer was computed from other parameters than the round's.
    case badBase
    /// Numbers are infinite or not numbers.
    case nonFinite
    /// Too few members remain.
    case quorumLost
    /// A person paused the run.
    case paused
    /// The process is leaving.
    case shuttingDown
    /// Anything else; the text says what.
    case `internal`

    /// The code's name.
    package var description: String { rawValue }
}
