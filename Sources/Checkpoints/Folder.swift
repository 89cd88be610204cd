import FoundationEssentials
import Glibc
import Tensors

/// A folder of the file system, in this module's error terms.
struct Folder {
    let path: String

    init(_ path: String) {
        self.path = path
    }

    /// The names in the folder, sorted.
    func entries() throws(CheckpointError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw .unreadable(path: path, reason: reason(of: error))
        }
    }

    /// The relative paths of all files below the folder that are not hidden, in the order of their UTF-8.
    func filesBelow() throws(CheckpointError) -> [String] {
        var files: [String] = []
        for name in try entries() where !name.hasPrefix(".") {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder) else {
                throw .unreadable(path: "\(path)/\(name)", reason: "the link leads nowhere")
            }
            if isFolder {
                files += try Folder("\(path)/\(name)").filesBelow().map { "\(name)/\($0)" }
            } else {
                files.append(name)
            }
        }
        return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// True when there is a file or folder of this path.
    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Makes the folder and those above it; it may exist.
    func create() throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try synchronizeParent(of: path)
        } catch let error as FileWritingError {
            throw CheckpointError(error)
        } catch {
            throw .unwritable(path: path, reason: reason(of: error))
        }
    }

    /// Deletes the folder and all in it.
    func remove() throws(CheckpointError) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw .unwritable(path: path, reason: reason(of: error))
        }
    }

    /// Waits until the disk knows the names in the folder.
    func synchronize() throws(CheckpointError) {
        do {
            try synchronizeFolder(path)
        } catch {
            throw CheckpointError(error)
        }
    }

    /// Gives the folder the name `target`, which is free, and waits until the disk knows it.
    func move(to target: String) throws(CheckpointError) {
        do {
            try renameDurably(from: path, to: target)
        } catch {
            throw CheckpointError(error)
        }
    }
}

/// The relative paths of all files below a folder that are not hidden, in the order of their UTF-8.
package func filePaths(below folder: String) throws(CheckpointError) -> [String] {
    try Folder(folder).filesBelow()
}

/// True for a name that stays inside its folder and is not hidden.
func isPlainFileName(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 255
        && name.unicodeScalars.allSatisfy { $0 != "/" && $0 != "\\" && $0.value >= 0x20 && $0.value != 0x7F }
}

/// The system's words where there are any: Foundation's own fill several lines.
func reason(of error: any Error) -> String {
    let underlying = (error as? CocoaError)?.underlying as? POSIXError
    return underlying.map { systemReason($0.code.rawValue) } ?? "\(error)"
}

extension CheckpointError {
    init(_ error: FileWritingError) {
        self = .unwritable(path: error.path, reason: error.reason)
    }
}
