/// What is wrong with a picture's file.
package enum ImageFileError: Error, Equatable, Sendable {
    /// The file is missing, is no picture, or is damaged; the reason is libpng's or libjpeg's.
    case unreadable(path: String, reason: String)
    /// The file cannot be written; the reason is libpng's or the system's.
    case unwritable(path: String, reason: String)
    /// The picture has more pixels than are read.
    case tooLarge(path: String, width: Int, height: Int)
}

extension ImageFileError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): not a readable picture: \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .tooLarge(let path, let width, let height): "\(path): \(width) x \(height) pixels are too many"
        }
    }
}
