import FoundationEssentials
import Tensors

/// Writes a file durably under a temporary name beside `path`, then gives it its name, replacing what had it.
///
/// Whoever looks finds the old file or the new one, never a part.
package func writeAtomically(_ bytes: [UInt8], to path: String) throws(CheckpointError) {
    try writeAtomically(CollectionOfOne(bytes), to: path)
}

/// The same for a file that comes in pieces, laid one behind the other.
func writeAtomically(_ pieces: some Sequence<[UInt8]>, to path: String) throws(CheckpointError) {
    let temporary = "\(path).tmp-\(UUID().uuidString)"
    do {
        try writeDurably(pieces, to: temporary)
        try renameDurably(from: temporary, to: path)
    } catch {
        if Folder(temporary).exists { try Folder(temporary).remove() }
        throw CheckpointError(error)
    }
}

/// Writes `pieces` to a file that does not exist yet and waits for the disk.
func writeDurably(_ pieces: some Sequence<[UInt8]>, to path: String) throws(FileWritingError) {
    var file = try DurableFile(creating: path)
    for piece in pieces { try file.append(piece) }
    try file.close()
}

/// A small file's bytes, such as those of a model's settings.
package func fileBytes(at path: String) throws(CheckpointError) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
        throw .unreadable(path: path, reason: "there is no such file")
    }
    return Array(data)
}
