import Checkpoints
import Foundation
import Tensors
import Testing

struct StagedDownloadTests {
    let folder: TemporaryFolder
    let holder: CheckpointStore
    let puller: CheckpointStore
    let checkpoint: StoredCheckpoint
    let source: ChunkSource

    init() throws {
        folder = try TemporaryFolder()
        holder = try store(folder, "holder")
        puller = try store(folder, "puller")
        checkpoint = try holder.publish(origin(round: 5), files: files(round: 5))
        var source = ChunkSource()
        try source.add(checkpoint)
        self.source = source
    }

    private func download() throws -> StagedDownload {
        try StagedDownload(
            manifestBytes: checkpoint.manifestBytes,
            hash: checkpoint.manifestHash,
            into: puller
        )
    }

    private func fetch(_ chunks: some Sequence<MissingChunk>, into download: inout StagedDownload) throws {
        for chunk in chunks {
            let bytes = try source.chunk(of: chunk.file, at: chunk.offset, byteCount: chunk.byteCount)
            try download.receive(bytes, of: chunk.file, at: chunk.offset)
        }
    }

    @Test func `a checkpoint arrives chunk by chunk in any order`() throws {
        var download = try download()
        let missing = download.missing
        #expect(missing.reduce(0) { $0 + $1.byteCount } == checkpoint.manifest.byteCount)
        #expect(missing.count == checkpoint.manifest.files.reduce(0) { $0 + $1.chunkChecksums.count })
        try fetch(missing.reversed(), into: &download)
        #expect(download.isComplete && download.missing.isEmpty)
        #expect(try puller.rounds() == [])
        let published = try download.publish()
        #expect(published.manifestHash == checkpoint.manifestHash)
        #expect(try puller.verify(round: 5).manifestBytes == checkpoint.manifestBytes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: puller.folder) == ["round-000005"])
    }

    @Test func `a download goes on where a killed one stopped`() throws {
        var first = try download()
        try fetch(first.missing.prefix(5), into: &first)
        var second = try download()
        #expect(second.missing == Array(first.missing))
        #expect(second.missing.count > 3)
        try fetch(second.missing, into: &second)
        var third = try download()
        #expect(third.isComplete)
        #expect(try third.publish().round == 5)
        third = try download()
        #expect(third.isComplete, "all files are those of the published checkpoint")
        #expect(try third.publish().manifestHash == checkpoint.manifestHash)
    }

    @Test func `a chunk damaged on the disk is asked for again`() throws {
        var first = try download()
        let all = first.missing
        try fetch(all, into: &first)
        let stage = try #require(
            try FileManager.default.contentsOfDirectory(atPath: puller.folder).first {
                $0.hasPrefix("fetch-5-")
            }
        )
        let name = "puller/\(stage)/constants.bin"
        var bytes = try folder.bytes(of: name)
        bytes[300] ^= 4
        try folder.write(bytes, to: name)
        var second = try download()
        let digest = checkpoint.manifest.files[1].digest
        #expect(second.missing == [MissingChunk(file: digest, offset: 256, byteCount: 256)])
        try fetch(second.missing, into: &second)
        #expect(try second.publish().round == 5)
    }

    @Test func `files the store has are not asked for`() throws {
        var first = try download()
        try fetch(first.missing, into: &first)
        _ = try first.publish()
        let next = try holder.publish(origin(round: 6), files: files(round: 6))
        let second = try StagedDownload(
            manifestBytes: next.manifestBytes,
            hash: next.manifestHash,
            into: puller
        )
        #expect(Set(second.missing.map(\.file)) == [next.manifest.files[0].digest])
    }

    @Test func `files that are alike are asked for once`() throws {
        let twins: [(name: String, content: CheckpointContent)] = ["a", "b"].map { ($0, .bytes([1, 2, 3])) }
        let checkpoint = try holder.publish(origin(round: 7), files: twins + [("empty", .bytes([]))])
        var download = try StagedDownload(
            manifestBytes: checkpoint.manifestBytes,
            hash: checkpoint.manifestHash,
            into: puller
        )
        let digest = ContentDigest(of: [1, 2, 3])
        #expect(download.missing == [MissingChunk(file: digest, offset: 0, byteCount: 3)])
        try download.receive([1, 2, 3], of: digest, at: 0)
        #expect(try download.publish().bytes(of: "b") == [1, 2, 3])
        #expect(try puller.verify(round: 7).bytes(of: "empty") == [])
    }

    @Test func `wrong bytes, wrong places and strangers are refused`() throws {
        var download = try download()
        let chunk = try #require(download.missing.first)
        var bytes = try source.chunk(of: chunk.file, at: chunk.offset, byteCount: chunk.byteCount)
        for place in [-256, -1, 1, 128, 1 << 40, .max] {
            #expect(throws: CheckpointError.badRange(chunk.file, offset: place, byteCount: 256)) {
                try download.receive(bytes, of: chunk.file, at: place)
            }
        }
        for count in [0, 1, 255] {
            #expect(throws: CheckpointError.badRange(chunk.file, offset: 0, byteCount: count)) {
                try download.receive(Array(bytes.prefix(count)), of: chunk.file, at: 0)
            }
        }
        let stranger = ContentDigest(of: [0])
        #expect(throws: CheckpointError.unknownContent(stranger)) {
            try download.receive(bytes, of: stranger, at: 0)
        }
        let expected = crc32c(bytes)
        bytes[17] ^= 1
        #expect(
            throws: CheckpointError.badChunk(chunk.file, offset: 0, expected: expected, found: crc32c(bytes))
        ) { try download.receive(bytes, of: chunk.file, at: 0) }
        #expect(download.missing.first == chunk)
    }

    @Test func `an incomplete download is not published`() throws {
        var download = try download()
        try fetch(download.missing.dropLast(), into: &download)
        #expect {
            try download.publish()
        } throws: { error in
            guard case CheckpointError.incomplete(_, 1000 - 3 * 256) = error else { return false }
            return true
        }
        #expect(try puller.rounds() == [])
    }

    @Test func `a manifest of another hash is refused`() {
        #expect(throws: CheckpointError.self) {
            try StagedDownload(
                manifestBytes: checkpoint.manifestBytes + [32],
                hash: checkpoint.manifestHash,
                into: puller
            )
        }
    }

    @Test func `right checksums do not make up for a wrong hash`() throws {
        let bytes: [UInt8] = [1, 2, 3]
        let honest = try holder.publish(origin(round: 8), files: [("a", .bytes(bytes))])
        let lie = ContentDigest(of: [4])
        let text = String(decoding: honest.manifestBytes, as: UTF8.self)
            .replacingOccurrences(of: ContentDigest(of: bytes).hex, with: lie.hex)
        var download = try StagedDownload(
            manifestBytes: Array(text.utf8),
            hash: ContentDigest(of: Array(text.utf8)),
            into: puller
        )
        #expect {
            try download.receive(bytes, of: lie, at: 0)
        } throws: { error in
            guard case CheckpointError.corrupt = error else { return false }
            return true
        }
        #expect(download.missing == [MissingChunk(file: lie, offset: 0, byteCount: 3)])
    }

    @Test func `a different checkpoint of a published round is refused`() throws {
        try publish([5], in: puller)
        let other = try store(folder, "other").publish(
            origin(round: 5, parent: ContentDigest(of: [7])),
            files: files(round: 5)
        )
        let download = try StagedDownload(
            manifestBytes: other.manifestBytes,
            hash: other.manifestHash,
            into: puller
        )
        #expect(download.isComplete)
        #expect(throws: CheckpointError.alreadyPublished(5, folder: puller.folder)) { try download.publish() }
    }

    @Test func `downloads that were overtaken are dropped`() throws {
        try folder.write([1], to: "puller/fetch-4-0123/a")
        try folder.write([1], to: "puller/fetch-6-0123/a")
        var download = try download()
        try fetch(download.missing, into: &download)
        _ = try download.publish()
        let left = try FileManager.default.contentsOfDirectory(atPath: puller.folder).sorted()
        #expect(left == ["fetch-6-0123", "round-000005"])
    }
}

struct ChunkSourceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `chunks are cut to the file, and nothing else is served`() throws {
        let store = try store(folder)
        let checkpoints = try publish([1, 2], in: store)
        var source = ChunkSource()
        for checkpoint in checkpoints { try source.add(checkpoint) }
        let constants = checkpoints[0].manifest.files[1].digest
        #expect(source.byteCount(of: constants) == 1000)
        #expect(
            try source.chunk(of: constants, at: 990, byteCount: 256) == (990..<1000).map { UInt8($0 % 256) }
        )
        #expect(try source.chunk(of: constants, at: 1000, byteCount: 1) == [])
        #expect(try source.chunk(of: constants, at: 0, byteCount: .max).count == 1000)
        for (offset, byteCount) in [(-1, 1), (1001, 1), (0, -1), (.max, .max), (.min, 1)] {
            #expect(throws: CheckpointError.badRange(constants, offset: offset, byteCount: byteCount)) {
                try source.chunk(of: constants, at: offset, byteCount: byteCount)
            }
        }
        let old = checkpoints[0].manifest.files[0].digest
        try store.remove(round: 1)
        #expect(try source.chunk(of: old, at: 0, byteCount: 8).count == 8)
        source.keepOnly([checkpoints[1]])
        #expect(throws: CheckpointError.unknownContent(old)) {
            try source.chunk(of: old, at: 0, byteCount: 8)
        }
    }
}
