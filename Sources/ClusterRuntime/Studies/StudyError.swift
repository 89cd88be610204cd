/// What can be wrong with a study's folder.
package enum StudyError: Error, Equatable, CustomStringConvertible {
    /// The folder holds the cells of other settings.
    case otherStudy(settings: String)
    /// A file of it is not what it was written as.
    case unreadable(path: String)
    /// One update of a row's student asks more evaluations than all students are to have.
    case tooFewEvaluations(row: String, asked: Int, least: Int)

    package var description: String {
        switch self {
        case .otherStudy(let settings):
            "\(settings): the folder is of a study with other settings: expected the same, or another folder"
        case .unreadable(let path): "\(path): expected what a study wrote there"
        case .tooFewEvaluations(let row, let asked, let least):
            """
            \(row): one update asks \(least) evaluations of networks, and all students of the study have \(asked): expected \
            longer runs, --rounds or --local-steps
            """
        }
    }
}
