import FoundationEssentials
import Tensors

/// One file of a download, of its full length from the start, and which of its chunks are on the disk.
struct PartialFile: Sendable {
    let target: CheckpointFile
    let path: String
    private var isPresent: [Bool]

    /// Goes on with what is at `path`; if nothing is, links `copy`, if that is the same file, or begins anew.
    init(_ target: CheckpointFile, at path: String, copy: String?) throws(CheckpointError) {
        self.target = target
        self.path = path
        isPresent = []
        if !Folder(path).exists {
            if let copy, try ContentDigest(ofFile: copy) == target.digest {
                try Self.link(copy, to: path)
            } else {
                try synchronize()
            }
        }
        isPresent = try presentChunks()
    }

    /// True when every chunk is here and the whole has its hash.
    var isComplete: Bool { !isPresent.contains(false) }

    /// The chunks that are not here.
    var missing: [MissingChunk] {
        isPresent.indices.filter { !isPresent[$0] }.map { index in
            let range = target.range(ofChunk: index)
            return MissingChunk(file: target.digest, offset: range.lowerBound, byteCount: range.count)
        }
    }

    /// Writes one chunk where it belongs, unless it is there.
    mutating func receive(_ bytes: [UInt8], at offset: Int) throws(CheckpointError) {
        let chunk = offset / target.chunkByteCount
        guard offset >= 0, chunk < isPresent.count,
            target.range(ofChunk: chunk) == offset..<offset + bytes.count
        else { throw .badRange(target.digest, offset: offset, byteCount: bytes.count) }
        guard !isPresent[chunk] else { return }
        let (expected, found) = (target.chunkChecksums[chunk], crc32c(bytes))
        guard found == expected else {
            throw .badChunk(target.digest, offset: offset, expected: expected, found: found)
        }
        do {
            try DurableFile(updating: path, byteCount: target.byteCount).write(bytes, at: offset)
        } catch {
            throw CheckpointError(error)
        }
        isPresent[chunk] = true
        if isComplete, try ContentDigest(ofFile: path) != target.digest {
            isPresent = noChunks
            throw .corrupt(path: path, reason: "its chunks are right, its hash is not \(target.digest)")
        }
    }

    /// Waits until what is here is on the disk.
    func synchronize() throws(CheckpointError) {
        do {
            var file = try DurableFile(updating: path, byteCount: target.byteCount)
            try file.close()
        } catch {
            throw CheckpointError(error)
        }
    }

    private var noChunks: [Bool] { [Bool](repeating: false, count: target.chunkChecksums.count) }

    /// The manifest's checksums tell which chunks an earlier process has written: no list of them is kept.
    private func presentChunks() throws(CheckpointError) -> [Bool] {
        let file = try MappedFile(opening: path)
        guard file.byteCount == target.byteCount else { return noChunks }
        let present = target.chunkChecksums.enumerated().map { index, checksum in
            let range = target.range(ofChunk: index)
            defer { file.letGo(range) }
            return crc32c(file.bytes(range)) == checksum
        }
        if present.contains(false) { return present }
        return try ContentDigest(ofFile: path) == target.digest ? present : noChunks
    }

    private static func link(_ source: String, to path: String) throws(CheckpointError) {
        do {
            try FileManager.default.linkItem(atPath: source, toPath: path)
        } catch {
            throw .unwritable(path: path, reason: reason(of: error))
        }
    }
}
