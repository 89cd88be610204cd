/// What is wrong with a file of weights or a checkpoint.
///
/// Every case names the file, and what was expected and found.
package enum CheckpointError: Error, Equatable, Sendable {
    /// A file or folder cannot be opened or listed.
    case unreadable(path: String, reason: String)
    /// A file or folder cannot be written, renamed or removed.
    case unwritable(path: String, reason: String)

    /// A safetensors file is shorter than its header says, in bytes.
    case truncated(path: String, expected: Int, found: Int)
    /// A safetensors header breaks the format.
    case badHeader(path: String, reason: String)
    /// A header names a number type the format does not know.
    case unknownType(path: String, tensor: String, type: String)
    /// A tensor is of a type that cannot be read as asked.
    case unsupportedType(path: String, tensor: String, expected: String, found: String)
    /// A file or folder does not hold a tensor.
    case missingTensor(path: String, tensor: String)
    /// A tensor has another shape than its reader needs.
    case shapeMismatch(path: String, tensor: String, expected: [Int], found: [Int])

    /// A folder's weights or their index cannot be made out.
    case badIndex(path: String, reason: String)
    /// An index names a shard that is not there.
    case missingShard(index: String, shard: String)

    /// A manifest breaks its format or contradicts itself.
    case badManifest(path: String, reason: String)
    /// A name in a manifest is not a plain file name, so it could lead out of the folder.
    case badFileName(String)
    /// A checkpoint's bytes are not those its manifest describes.
    case corrupt(path: String, reason: String)
    /// A store has no checkpoint of this round.
    case unknownRound(UInt64, folder: String)
    /// A round is published once.
    case alreadyPublished(UInt64, folder: String)

    /// No file of this hash is served or expected.
    case unknownContent(ContentDigest)
    /// The bytes asked for, or sent, do not lie in the file as chunks do.
    case badRange(ContentDigest, offset: Int, byteCount: Int)
    /// A chunk's checksum is not the manifest's.
    case badChunk(ContentDigest, offset: Int, expected: UInt32, found: UInt32)
    /// A download is published before it is complete.
    case incomplete(path: String, missingByteCount: Int)
}

extension CheckpointError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .truncated(let path, let expected, let found):
            "\(path): truncated: \(expected) bytes expected, \(found) found"
        case .badHeader(let path, let reason): "\(path): not a safetensors file: \(reason)"
        case .unknownType(let path, let tensor, let type):
            "\(path): tensor '\(tensor)' has unknown type '\(type)'"
        case .unsupportedType(let path, let tensor, let expected, let found):
            "\(path): tensor '\(tensor)' is \(found), expected \(expected)"
        case .missingTensor(let path, let tensor): "\(path): has no tensor '\(tensor)'"
        case .shapeMismatch(let path, let tensor, let expected, let found):
            "\(path): tensor '\(tensor)' has shape \(found), expected \(expected)"
        case .badIndex(let path, let reason): "\(path): \(reason)"
        case .missingShard(let index, let shard): "\(index): names the shard '\(shard)', which is not there"
        case .badManifest(let path, let reason): "\(path): bad manifest: \(reason)"
        case .badFileName(let name): "'\(name)' is not a plain file name"
        case .corrupt(let path, let reason): "\(path): corrupt: \(reason)"
        case .unknownRound(let round, let folder): "\(folder): has no checkpoint of round \(round)"
        case .alreadyPublished(let round, let folder): "\(folder): already has a checkpoint of round \(round)"
        case .unknownContent(let digest): "no file of hash \(digest) is here"
        case .badRange(let digest, let offset, let byteCount):
            "\(byteCount) bytes at \(offset) are not a chunk of the file of hash \(digest)"
        case .badChunk(let digest, let offset, let expected, let found):
            "chunk at \(offset) of the file of hash \(digest) has checksum \(found), expected \(expected)"
        case .incomplete(let path, let missingByteCount):
            "\(path): \(missingByteCount) bytes are still missing"
        }
    }
}
