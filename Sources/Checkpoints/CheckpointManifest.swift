import FoundationEssentials

/// What a checkpoint is of and where it comes from.
package struct CheckpointOrigin: Codable, Hashable, Sendable {
    /// The run the parameters belong to.
    package let runID: String
    /// The averaging round whose parameters these are; 0 for the initial ones.
    package let round: UInt64
    /// SHA-256 of the round's flat parameters, the student's then the discriminator's: the hash that nodes compare.
    package let parameterHash: ContentDigest
    /// ``ContentDigest/init(ofFolder:)`` of the teacher.
    package let teacherHash: ContentDigest
    /// Hash of the run's resolved configuration.
    package let configurationHash: ContentDigest
    /// The hash of the manifest this checkpoint follows; nil for a run's first.
    package let parentManifestHash: ContentDigest?
    /// Version of the program that wrote it.
    package let build: String
    /// The first batch of prompts that is not yet in these parameters.
    package let ledgerCursor: UInt64
    /// The parts present, for example "student" and "discriminator"; sorted.
    package let roles: [String]

    /// Takes every field; roles are sorted.
    package init(
        runID: String,
        round: UInt64,
        parameterHash: ContentDigest,
        teacherHash: ContentDigest,
        configurationHash: ContentDigest,
        parentManifestHash: ContentDigest?,
        build: String,
        ledgerCursor: UInt64,
        roles: [String]
    ) {
        self.runID = runID
        self.round = round
        self.parameterHash = parameterHash
        self.teacherHash = teacherHash
        self.configurationHash = configurationHash
        self.parentManifestHash = parentManifestHash
        self.build = build
        self.ledgerCursor = ledgerCursor
        self.roles = roles.sorted()
    }
}

/// One file of a checkpoint, described well enough to fetch it in chunks and to know every byte is right.
package struct CheckpointFile: Codable, Hashable, Sendable {
    /// A plain name: it cannot lead out of the checkpoint's folder.
    package let name: String
    /// Bytes of the file.
    package let byteCount: Int
    /// SHA-256 of the file.
    package let digest: ContentDigest
    /// Bytes of every chunk but the last.
    package let chunkByteCount: Int
    /// CRC-32C of each chunk.
    package let chunkChecksums: [UInt32]

    /// Which bytes a chunk is.
    package func range(ofChunk index: Int) -> Range<Int> {
        index * chunkByteCount..<min(byteCount, (index + 1) * chunkByteCount)
    }
}

/// The table of contents of a checkpoint, kept as `manifest.json` beside its files.
package struct CheckpointManifest: Codable, Hashable, Sendable {
    /// The only version written and read.
    package static let currentFormatVersion = 1
    /// The largest chunk a manifest may ask to be sent, in bytes.
    package static let largestChunkByteCount = 1 << 24

    /// ``currentFormatVersion`` in every manifest that was read.
    package let formatVersion: Int
    /// What the checkpoint is of and where it comes from.
    package let origin: CheckpointOrigin
    /// In the order of writing.
    package let files: [CheckpointFile]

    init(origin: CheckpointOrigin, files: [CheckpointFile]) {
        formatVersion = Self.currentFormatVersion
        self.origin = origin
        self.files = files
    }

    /// Reads and checks a manifest's JSON; `path` names it in errors.
    package init(decoding bytes: [UInt8], path: String) throws(CheckpointError) {
        do {
            self = try JSONDecoder().decode(CheckpointManifest.self, from: Data(bytes))
        } catch {
            throw .badManifest(path: path, reason: (error as? DecodingError)?.reason ?? "\(error)")
        }
        guard formatVersion == Self.currentFormatVersion else {
            throw .badManifest(path: path, reason: "format version \(formatVersion) is not known")
        }
        for file in files {
            guard isPlainFileName(file.name) else { throw .badFileName(file.name) }
            guard file.isConsistent else {
                throw .badManifest(
                    path: path,
                    reason: "sizes and chunks of '\(file.name)' contradict each other"
                )
            }
        }
        let reserved = [StoredCheckpoint.manifestName, StoredCheckpoint.manifestDigestName]
        guard Set(files.map(\.name) + reserved).count == files.count + reserved.count else {
            throw .badManifest(path: path, reason: "two files have one name, or the manifest's")
        }
    }

    /// The manifest's JSON with sorted keys, so that equal manifests have equal bytes and hashes.
    package func encoded() throws(CheckpointError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw .badManifest(path: StoredCheckpoint.manifestName, reason: "\(error)")
        }
    }

    /// The bytes of all files.
    package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }
}

extension CheckpointFile {
    /// True when sizes are in range and there is one checksum a chunk.
    fileprivate var isConsistent: Bool {
        (0...1 << 50).contains(byteCount)
            && (1...CheckpointManifest.largestChunkByteCount).contains(chunkByteCount)
            && chunkChecksums.count == (byteCount + chunkByteCount - 1) / chunkByteCount
    }
}
