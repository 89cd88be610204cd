import Checkpoints
import ClusterMessages

extension ContentHash {
    /// A file's digest as the messages name it.
    init(_ digest: ContentDigest) {
        guard let hash = ContentHash(digest.bytes) else {
            preconditionFailure("a SHA-256 has \(ContentHash.byteCount) bytes, not \(digest.bytes.count)")
        }
        self = hash
    }
}

extension ContentDigest {
    /// A message's hash as the files name it.
    init(_ hash: ContentHash) {
        guard let digest = ContentDigest(bytes: hash.bytes) else {
            preconditionFailure("a SHA-256 has \(ContentHash.byteCount) bytes")
        }
        self = digest
    }
}
