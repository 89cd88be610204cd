import Checkpoints
import Foundation
package import Tensors

/// A folder of latents: shards `latents-00000.safetensors`, and `index.json`, written last.
///
/// A shard has one tensor `latents` `[pictures, channels, rows, columns]` in 32-bit floats; `captions` of its metadata
/// is a JSON list of what each row is of, `skipped` one of what was passed over.
package struct LatentFolder: Sendable {
    /// `index.json`: everything about the folder but the numbers.
    package struct Index: Codable, Sendable, Equatable {
        package var settings: Settings
        /// Latents in all shards.
        package var count: Int
        package var shards: [Shard]
        package var skipped: [Skipped]
    }

    /// What decides the latents of a picture.
    package struct Settings: Codable, Sendable, Equatable {
        /// SHA-256 of the autoencoder's folder; nil where latents are pixels.
        package var autoencoder: String?
        /// Of the pictures, in pixels.
        package var height: Int
        package var width: Int
        /// `[channels, rows, columns]`.
        package var latentShape: [Int]
        /// Pictures that a shard is made of.
        package var shardSize: Int
    }

    package struct Shard: Codable, Sendable, Equatable {
        package var file: String
        package var count: Int
        /// SHA-256 of the file.
        package var sha256: String
    }

    /// What a row of a shard is of.
    package struct Caption: Codable, Sendable, Equatable {
        package var fileName: String
        package var text: String

        private enum CodingKeys: String, CodingKey {
            case fileName = "file_name"
            case text
        }
    }

    /// A picture that could not be read.
    package struct Skipped: Codable, Sendable, Equatable {
        package var fileName: String
        package var reason: String

        private enum CodingKeys: String, CodingKey {
            case fileName = "file_name"
            case reason
        }
    }

    /// One latent with its caption.
    package struct Sample: Sendable {
        /// `[channels, rows, columns]`.
        package let latents: Tensor
        package let caption: Caption
    }

    static let indexName = "index.json"
    static let tensorName = "latents"

    package let path: String
    package let index: Index
    private let shards: [OpenShard]

    /// Opens a folder that is complete; the shards are mapped, not read.
    package init(path: String) throws {
        let indexPath = "\(path)/\(Self.indexName)"
        guard let data = FileManager.default.contents(atPath: indexPath) else {
            throw LatentError.badFolder(
                path: indexPath,
                reason: "there is no such file; flowsteer encode writes it"
            )
        }
        guard let index = try? JSONDecoder().decode(Index.self, from: data) else {
            throw LatentError.badFolder(path: indexPath, reason: "is no index of latents")
        }
        self.path = path
        self.index = index
        shards = try index.shards.map { shard in
            guard shard.file == shard.file.split(separator: "/").last.map(String.init) else {
                throw LatentError.badFolder(path: indexPath, reason: "'\(shard.file)' is no name of a shard")
            }
            let open = try OpenShard(path: "\(path)/\(shard.file)", shape: index.settings.latentShape)
            guard open.captions.count == shard.count else {
                throw LatentError.badFolder(
                    path: "\(path)/\(shard.file)",
                    reason: "holds \(open.captions.count) latents, \(shard.count) by the index"
                )
            }
            return open
        }
    }

    package var count: Int { shards.reduce(0) { $0 + $1.captions.count } }

    /// The latent of an index in `0 ..< count`, in the order of the captions.
    package func sample(_ index: Int) throws -> Sample {
        precondition((0..<count).contains(index), "latent \(index) of \(count)")
        var row = index
        for shard in shards {
            if row < shard.captions.count { return try shard.sample(row) }
            row -= shard.captions.count
        }
        preconditionFailure("latent \(index) of \(count)")
    }
}

/// A shard's file with its captions.
struct OpenShard: Sendable {
    static let captionsKey = "captions"
    static let skippedKey = "skipped"
    /// The hash of what the shard was made from.
    static let sourceKey = "source"

    let captions: [LatentFolder.Caption]
    let skipped: [LatentFolder.Skipped]
    let source: String
    private let file: SafetensorsFile

    /// - Parameter shape: of one latent.
    init(path: String, shape: [Int]) throws {
        file = try SafetensorsFile(path: path)
        guard let captions = Self.list(of: LatentFolder.Caption.self, Self.captionsKey, in: file),
            let skipped = Self.list(of: LatentFolder.Skipped.self, Self.skippedKey, in: file),
            let source = file.metadata[Self.sourceKey]
        else { throw LatentError.badFolder(path: path, reason: "its metadata are not those of a shard") }
        self.captions = captions
        self.skipped = skipped
        self.source = source
        guard try file.shape(of: LatentFolder.tensorName) == [captions.count] + shape else {
            throw CheckpointError.shapeMismatch(
                path: path,
                tensor: LatentFolder.tensorName,
                expected: [captions.count] + shape,
                found: try file.shape(of: LatentFolder.tensorName)
            )
        }
    }

    func sample(_ row: Int) throws -> LatentFolder.Sample {
        let latents = try file.tensor(named: LatentFolder.tensorName)
        return LatentFolder.Sample(latents: latents.row(row), caption: captions[row])
    }

    private static func list<Element: Decodable>(
        of type: Element.Type,
        _ key: String,
        in file: SafetensorsFile
    ) -> [Element]? {
        file.metadata[key].flatMap { try? JSONDecoder().decode([Element].self, from: Data($0.utf8)) }
    }
}
