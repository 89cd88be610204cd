import Checkpoints
package import DiffusionModels
import Evaluation
import Foundation
import ImageFiles
package import Tensors

/// Captioned pictures made latents, a shard at a time; what is there already is left as it is.
///
/// Pictures are cut and scaled to one size, and pass the model's autoencoder where it has one: a latent is the mean that
/// the encoder gives. A shard appears whole or not at all, and says what it was made from, so a call that was ended
/// goes on where it was, and makes shards whose pictures or captions have changed anew.
package struct LatentEncoding: Sendable {
    package struct Progress: Sendable {
        /// Pictures of finished shards, and of all.
        package let done: Int
        package let total: Int
        /// Of those, in shards that were there before.
        package let kept: Int
    }

    private let pictures: CaptionedPictures
    private let out: String
    private let settings: LatentFolder.Settings
    private let skipsUnreadable: Bool
    private let autoencoder: Autoencoder?

    /// Opens the model's autoencoder.
    ///
    /// - Parameters:
    ///   - height: of pictures in pixels, with `width`; nil for what the model was trained on.
    ///   - shardSize: pictures that a shard is made of.
    ///   - skipsUnreadable: pictures that cannot be read are passed over and counted, not an error.
    package init(
        _ pictures: CaptionedPictures,
        model: ModelOutline,
        height: Int? = nil,
        width: Int? = nil,
        shardSize: Int = 256,
        skipsUnreadable: Bool = false,
        into out: String
    ) throws {
        precondition(shardSize >= 1, "shards of \(shardSize) pictures")
        let autoencoder = try model.makeAutoencoder()
        try autoencoder?.checkHasEncoder()
        let channels = autoencoder?.configuration.pictureChannels ?? model.configuration.inChannels
        guard channels == 3 else {
            throw ModelError.unsupported(
                path: autoencoder == nil
                    ? "\(model.path)/transformer/config.json" : "\(model.path)/vae/config.json",
                field: "in_channels",
                value: "\(channels)",
                expected: "3, red, green and blue"
            )
        }
        let pixelsPerLatent = autoencoder?.configuration.pixelsPerLatent ?? 1
        let side = model.configuration.sampleSize * pixelsPerLatent
        let (height, width) = (height ?? side, width ?? side)
        let extent = try model.latentExtent(height: height, width: width, pixelsPerLatent: pixelsPerLatent)
        settings = LatentFolder.Settings(
            autoencoder: autoencoder == nil ? nil : try ContentDigest(ofFolder: "\(model.path)/vae").hex,
            height: height,
            width: width,
            latentShape: model.latentShape(extent),
            shardSize: shardSize
        )
        self.pictures = pictures
        self.out = out
        self.skipsUnreadable = skipsUnreadable
        self.autoencoder = autoencoder
    }

    /// Makes the shards that are missing, and the index.
    ///
    /// - Parameter progress: called for with every finished shard.
    package func run(
        on pool: LanePool,
        progress: AsyncStream<Progress>.Continuation? = nil
    ) throws -> LatentFolder.Index {
        try LocalRunFolder.create(out)
        try checkBefore()
        var index = LatentFolder.Index(settings: settings, count: 0, shards: [], skipped: [])
        var kept = 0
        let entries = pictures.entries
        for (number, start) in stride(from: 0, to: entries.count, by: settings.shardSize).enumerated() {
            let end = min(start + settings.shardSize, entries.count)
            let name = Self.name(ofShard: number)
            let sources = entries[start..<end].map { Source(entry: $0, bytes: pictures.bytes(of: $0)) }
            let source = self.source(of: sources)
            if let shard = usable(name, of: source) {
                kept += end - start
                add(shard, name, to: &index)
            } else {
                try write(sources, source: source, as: name, on: pool)
                add(try OpenShard(path: "\(out)/\(name)", shape: settings.latentShape), name, to: &index)
            }
            index.shards[number].sha256 = try ContentDigest(ofFile: "\(out)/\(name)").hex
            progress?.yield(Progress(done: end, total: entries.count, kept: kept))
        }
        try removeShards(from: index.shards.count)
        try writeAtomically(try ReportCoding.encoded(index), to: "\(out)/\(LatentFolder.indexName)")
        return index
    }

    // MARK: Shards

    /// An entry with its picture's file.
    private struct Source {
        let entry: CaptionedPictures.Entry
        let bytes: [UInt8]?
    }

    private static func name(ofShard number: Int) -> String {
        let digits = String(number)
        return "latents-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).safetensors"
    }

    /// The hash of all that decides a shard's bytes.
    private func source(of sources: [Source]) -> String {
        let texts = [
            "latents 1", settings.autoencoder ?? "pixels", "\(settings.height) \(settings.width)",
        ]
        let parts = sources.flatMap {
            [Array($0.entry.fileName.utf8), Array($0.entry.text.utf8), $0.bytes ?? []]
        }
        let digests = (texts.map { Array($0.utf8) } + parts).flatMap { ContentDigest(of: $0).bytes }
        return ContentDigest(of: digests).hex
    }

    /// A shard that is there and of this source; one that passed over pictures is not where that is an error.
    private func usable(_ name: String, of source: String) -> OpenShard? {
        guard let shard = try? OpenShard(path: "\(out)/\(name)", shape: settings.latentShape),
            shard.source == source, skipsUnreadable || shard.skipped.isEmpty
        else { return nil }
        return shard
    }

    private func add(_ shard: OpenShard, _ name: String, to index: inout LatentFolder.Index) {
        index.count += shard.captions.count
        index.skipped += shard.skipped
        index.shards.append(.init(file: name, count: shard.captions.count, sha256: ""))
    }

    private func write(_ sources: [Source], source: String, as name: String, on pool: LanePool) throws {
        var captions: [LatentFolder.Caption] = []
        var skipped: [LatentFolder.Skipped] = []
        var rows: [Tensor] = []
        for source in sources {
            do throws(ImageFileError) {
                let picture = try read(source).fitted(width: settings.width, height: settings.height)
                rows.append(latents(of: picture, on: pool))
                captions.append(.init(fileName: source.entry.fileName, text: source.entry.text))
            } catch {
                guard skipsUnreadable else {
                    throw LatentError.badPicture(reason: "\(error)", line: source.entry.line)
                }
                skipped.append(.init(fileName: source.entry.fileName, reason: "\(error)"))
            }
        }
        let latents = rows.isEmpty ? Tensor.zeros([0] + settings.latentShape) : .stacked(rows)
        let metadata = [
            OpenShard.captionsKey: try Self.json(captions), OpenShard.skippedKey: try Self.json(skipped),
            OpenShard.sourceKey: source,
        ]
        try SafetensorsWriter([LatentFolder.tensorName: latents], metadata: metadata).write(
            to: "\(out)/\(name)"
        )
    }

    private func read(_ source: Source) throws(ImageFileError) -> Picture {
        let path = "\(pictures.folder)/\(source.entry.fileName)"
        guard let bytes = source.bytes else {
            throw .unreadable(path: path, reason: "there is no such file")
        }
        return try PictureFile.decode(bytes, path: path)
    }

    private func latents(of picture: Picture, on pool: LanePool) -> Tensor {
        let pixels = picture.modelSpace
        guard let autoencoder else { return pixels }
        var latents = pixels
        pool.forEachShare(of: 1) { lane, _ in
            latents = autoencoder.encode(pixels.reshaped([1] + pixels.shape), on: lane.tape).row(0)
        }
        return latents
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    // MARK: The folder

    /// Refuses a folder that is complete with other settings: nobody wants half of each.
    private func checkBefore() throws {
        let path = "\(out)/\(LatentFolder.indexName)"
        guard let data = FileManager.default.contents(atPath: path) else { return }
        guard let there = try? JSONDecoder().decode(LatentFolder.Index.self, from: data).settings else {
            throw LatentError.badFolder(path: path, reason: "is no index of latents")
        }
        for (field, before, now) in [
            ("autoencoder", there.autoencoder ?? "none", settings.autoencoder ?? "none"),
            ("height", "\(there.height)", "\(settings.height)"),
            ("width", "\(there.width)", "\(settings.width)"),
            ("shard size", "\(there.shardSize)", "\(settings.shardSize)"),
        ] where before != now {
            throw LatentError.otherLatents(folder: out, field: field, there: before, asked: now)
        }
    }

    /// Removes shards behind the last one, of a list that was longer.
    private func removeShards(from number: Int) throws {
        var number = number
        while FileManager.default.fileExists(atPath: "\(out)/\(Self.name(ofShard: number))") {
            try FileManager.default.removeItem(atPath: "\(out)/\(Self.name(ofShard: number))")
            number += 1
        }
    }
}
