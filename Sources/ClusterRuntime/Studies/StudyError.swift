/// What can be wrong with a study's folder.
package enum StudyError: Error, Equatable, CustomStringConvertible {
    /// The folder holds the cells of other settings.
    case otherStudy(settings: String)
    /// A file of it is not what it was written as.
    case unreadable(path: String)

    package var description: String {
        switch self {
        case .otherStudy(let settings):
            "\(settings): the folder is of a study with other settings: expected the same, or another folder"
        case .unreadable(let path): "\(path): expected what a study wrote there"
        }
    }
}
