/// What can be wrong with the files an evaluation reads.
package enum EvaluationError: Error, Equatable, CustomStringConvertible {
    /// A file cannot be read.
    case unreadable(path: String, reason: String)
    /// A file of sprites is not what its name says, or holds too few of them.
    case badSprites(path: String, reason: String)
    /// A folder of pictures was drawn with other settings than those asked for, or by somebody else.
    case otherPictures(root: String, settings: String)
    /// The scene score is wrong about too many pictures that show their caption.
    case unreliableScore(share: Double, least: Double)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .badSprites(let path, let reason): "\(path): \(reason)"
        case .otherPictures(let root, let settings):
            "\(root): holds other pictures than those asked for, see \(settings): expected a new folder"
        case .unreliableScore(let share, let least):
            "the scene score of clean scenes is \(share): expected \(least) or more"
        }
    }
}
