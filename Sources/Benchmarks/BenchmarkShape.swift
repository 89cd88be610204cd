package import DiffusionModels

/// A model of a given size with a given batch: what a benchmark computes.
package struct BenchmarkShape: Sendable, Equatable {
    /// How much of a model is computed.
    package enum Scope: Sendable, Equatable {
        case network
        /// One joint block, fed with tokens.
        case block
    }

    package let name: String
    package private(set) var scope: Scope
    package private(set) var configuration: TransformerConfiguration
    /// Text tokens of a sample.
    package private(set) var textTokens: Int
    /// Samples computed together.
    package private(set) var batch: Int
    /// Rows and columns of picture tokens.
    package private(set) var grid: (rows: Int, columns: Int)

    private init(
        name: String,
        scope: Scope = .network,
        _ configuration: TransformerConfiguration,
        textTokens: Int,
        batch: Int
    ) {
        self.name = name
        self.scope = scope
        self.configuration = configuration
        self.textTokens = textTokens
        self.batch = batch
        let side = configuration.sampleSize / configuration.patchSize
        grid = (side, side)
    }

    /// A whole network of any size on pictures of `extent` latent rows and columns, whole patches.
    package init(_ configuration: TransformerConfiguration, extent: LatentExtent, textTokens: Int, batch: Int)
    {
        self.init(name: "model", configuration, textTokens: textTokens, batch: batch)
        grid = (extent.rows / configuration.patchSize, extent.columns / configuration.patchSize)
    }

    package static func == (a: BenchmarkShape, b: BenchmarkShape) -> Bool {
        a.name == b.name && a.scope == b.scope && a.configuration == b.configuration
            && a.textTokens == b.textTokens && a.batch == b.batch && a.grid == b.grid
    }
}

// MARK: - Sizes

extension BenchmarkShape {
    /// Picture tokens of a sample.
    package var pictureTokens: Int { grid.rows * grid.columns }
    /// Picture and text tokens of a sample.
    package var tokens: Int { pictureTokens + textTokens }
    /// Features of a token.
    package var width: Int { configuration.width }
    /// Shape of one sample's latents, `[channels, height, width]`.
    package var latentShape: [Int] {
        let patch = configuration.patchSize
        return [configuration.inChannels, grid.rows * patch, grid.columns * patch]
    }

    /// The same model with another batch.
    package func with(batch: Int) -> BenchmarkShape {
        precondition(batch >= 1, "a batch has at least one sample, got \(batch)")
        var shape = self
        shape.batch = batch
        return shape
    }

    /// The same model on pictures of another number of tokens, as square as that number allows.
    package func with(pictureTokens: Int) -> BenchmarkShape {
        precondition(pictureTokens >= 1, "a picture has at least one token, got \(pictureTokens)")
        var rows = Int(Double(pictureTokens).squareRoot().rounded())
        while pictureTokens % rows != 0 || rows * rows > pictureTokens { rows -= 1 }
        var shape = self
        shape.grid = (rows, pictureTokens / rows)
        shape.configuration.positionTableSize = max(configuration.positionTableSize, pictureTokens / rows)
        return shape
    }

    /// A less deep network of the same width over the same tokens.
    func with(layers: Int, dualLayers: Set<Int>) -> BenchmarkShape {
        var shape = self
        shape.configuration.layerCount = layers
        shape.configuration.dualAttentionLayers = dualLayers
        return shape
    }

    /// A network with a part of the heads on a part of the tokens, as large as that of the heads, and so of the text's
    /// features.
    ///
    /// Attention keeps its share of the operations, and every activation its share of the memory. The table of
    /// positions is no larger than the picture.
    func shrunk(heads: Int) -> BenchmarkShape {
        let part = Double(heads) / Double(configuration.headCount)
        func shrunk(_ count: Int) -> Int { max(1, Int((Double(count) * part).rounded())) }
        var shape = self
        shape.configuration.headCount = heads
        shape.configuration.jointAttentionWidth = shrunk(configuration.jointAttentionWidth)
        shape.configuration.pooledProjectionWidth = shrunk(configuration.pooledProjectionWidth)
        shape.textTokens = shrunk(textTokens)
        shape.grid = Self.grid(ofAbout: Double(pictureTokens) * part)
        let longer = max(shape.grid.rows, shape.grid.columns)
        shape.configuration.positionTableSize = longer
        shape.configuration.sampleSize = longer * configuration.patchSize
        return shape
    }

    /// The rows and columns that come nearest to so many tokens, up to four times as many columns as rows.
    private static func grid(ofAbout tokens: Double) -> (rows: Int, columns: Int) {
        let most = max(1, Int(tokens.squareRoot().rounded()))
        let grids = ((most + 1) / 2...most).map { rows in
            (rows: rows, columns: max(1, Int((tokens / Double(rows)).rounded())))
        }
        func error(_ grid: (rows: Int, columns: Int)) -> Double {
            abs(Double(grid.rows * grid.columns) - tokens)
        }
        return grids.reversed().min { error($0) < error($1) } ?? (most, most)
    }

    /// One joint block of the same sizes.
    package var block: BenchmarkShape {
        var shape = self
        shape.scope = .block
        return shape
    }
}

// MARK: - The shapes by name

extension BenchmarkShape {
    /// All of them, small to large.
    package static let all = [emoji, tiny, small, sd3Block]

    /// The shape of a name.
    package static func named(_ name: String) -> BenchmarkShape? { all.first { $0.name == name } }

    /// The teacher that comes with the program.
    package static let emoji = BenchmarkShape(
        name: "emoji",
        TransformerConfiguration(
            sampleSize: 32,
            patchSize: 4,
            inChannels: 3,
            outChannels: 3,
            layerCount: 6,
            headCount: 5,
            headWidth: 32,
            jointAttentionWidth: 128,
            pooledProjectionWidth: 128,
            positionTableSize: 8,
            normalizesQueriesAndKeys: true
        ),
        textTokens: 16,
        batch: 32
    )

    /// Small enough that overheads show.
    package static let tiny = BenchmarkShape(
        name: "tiny",
        TransformerConfiguration(
            sampleSize: 16,
            patchSize: 2,
            inChannels: 4,
            outChannels: 4,
            layerCount: 6,
            headCount: 6,
            headWidth: 32,
            jointAttentionWidth: 192,
            pooledProjectionWidth: 192,
            positionTableSize: 16,
            normalizesQueriesAndKeys: false
        ),
        textTokens: 16,
        batch: 16
    )

    /// Large enough that matrix products dominate.
    package static let small = BenchmarkShape(
        name: "small",
        TransformerConfiguration(
            sampleSize: 32,
            patchSize: 2,
            inChannels: 16,
            outChannels: 16,
            layerCount: 12,
            headCount: 6,
            headWidth: 64,
            jointAttentionWidth: 768,
            pooledProjectionWidth: 768,
            positionTableSize: 32,
            normalizesQueriesAndKeys: false
        ),
        textTokens: 77,
        batch: 8
    )

    /// One block of Stable Diffusion 3 Medium on a picture of 512 × 512 pixels.
    package static let sd3Block = BenchmarkShape(
        name: "sd3-block",
        scope: .block,
        TransformerConfiguration(
            sampleSize: 64,
            patchSize: 2,
            inChannels: 16,
            outChannels: 16,
            layerCount: 24,
            headCount: 24,
            headWidth: 64,
            jointAttentionWidth: 4096,
            pooledProjectionWidth: 2048,
            positionTableSize: 192,
            normalizesQueriesAndKeys: false
        ),
        textTokens: 154,
        batch: 1
    )
}
