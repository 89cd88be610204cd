import Checkpoints
import ClusterRuntime
import Foundation

/// What a run's folder holds for people: checkpoints and the sheet of samples.
struct RunArchive: Sendable {
    /// A checkpoint that can be fetched.
    struct Checkpoint: Sendable, Equatable, Encodable {
        /// A file of it.
        struct File: Sendable, Equatable, Encodable {
            let name: String
            let byteCount: Int
        }
        let round: UInt64
        let files: [File]
    }

    /// What is there at one moment.
    struct Listing: Sendable, Equatable, Encodable {
        /// Newest first.
        var checkpoints: [Checkpoint] = []
        /// When the sheet of samples was written, seconds since 1970; nil where there is none.
        var sheetTime: Double?
    }

    /// Checkpoints that are listed.
    private static let limit = 40

    let folder: LocalRunFolder

    /// Looks into the folder; a checkpoint that cannot be read is left out.
    func list() -> Listing {
        var listing = Listing()
        if let store = try? CheckpointStore(reading: folder.checkpoints), let rounds = try? store.rounds() {
            listing.checkpoints = rounds.reversed().prefix(Self.limit).compactMap { round in
                guard let manifest = try? store.checkpoint(ofRound: round).manifest else { return nil }
                return Checkpoint(
                    round: round,
                    files: manifest.files.map { .init(name: $0.name, byteCount: $0.byteCount) }
                )
            }
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder.samples)
        listing.sheetTime = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970
        return listing
    }

    /// The path of a file that a checkpoint's manifest names; nil where there is none such.
    func path(of name: String, round: UInt64) -> String? {
        guard let store = try? CheckpointStore(reading: folder.checkpoints),
            let checkpoint = try? store.checkpoint(ofRound: round),
            checkpoint.manifest.files.contains(where: { $0.name == name })
        else { return nil }
        return try? checkpoint.path(of: name)
    }
}

/// A file that is read piece by piece.
struct FilePieces: Sendable {
    /// Bytes of a piece.
    static let size = 64 << 10

    /// How long the file was when it was opened.
    let byteCount: Int
    private let file: FileHandle

    init?(path: String) {
        guard let file = FileHandle(forReadingAtPath: path), let end = try? file.seekToEnd(),
            (try? file.seek(toOffset: 0)) != nil
        else { return nil }
        self.file = file
        byteCount = Int(end)
    }

    /// The next piece; empty at the end.
    func next() throws -> [UInt8] { Array(try file.read(upToCount: Self.size) ?? Data()) }
}
