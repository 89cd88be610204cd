/// What can be wrong with the files an evaluation reads.
package enum EvaluationError: Error, Equatable, CustomStringConvertible {
    /// A file cannot be read.
    case unreadable(path: String, reason: String)
    /// A file of sprites is not what its name says, or holds too few of them.
    case badSprites(path: String, reason: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .badSprites(let path, let reason): "\(path): \(reason)"
        }
    }
}
