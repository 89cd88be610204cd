import Foundation

/// Files of the checkout that tests read.
package enum Repository {
    /// The checkout's folder.
    package static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()

    /// The shipped teacher.
    package static let teacher = root + "Cluster/teacher/emoji-scenes"

    /// A committed reference file.
    package static func fixture(_ name: String) -> String { root + "Tests/Fixtures/" + name }
}
