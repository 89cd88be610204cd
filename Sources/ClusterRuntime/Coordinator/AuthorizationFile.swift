import Foundation

/// The file of authorized nodes, which is read again whenever it changes.
struct AuthorizationFile: Sendable {
    /// What changes with the file's text.
    private struct Stamp: Equatable {
        let modified: Date
        let byteCount: Int
        let inode: Int
    }

    let path: String
    /// Nil for a file that was not there.
    private var stamp: Stamp?

    /// Takes the file as it is now for read.
    init(path: String) {
        self.path = path
        stamp = Self.stamp(of: path)
    }

    /// The list in the file, if it changed since the last look.
    ///
    /// - Throws: what is wrong with the changed file, once.
    mutating func changes() throws(CoordinatorError) -> AuthorizedNodes? {
        let now = Self.stamp(of: path)
        guard now != stamp else { return nil }
        stamp = now
        return try AuthorizedNodes(path: path)
    }

    private static func stamp(of path: String) -> Stamp? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let modified = attributes[.modificationDate] as? Date,
            let byteCount = (attributes[.size] as? NSNumber)?.intValue,
            let inode = (attributes[.systemFileNumber] as? NSNumber)?.intValue
        else { return nil }
        return Stamp(modified: modified, byteCount: byteCount, inode: inode)
    }
}
