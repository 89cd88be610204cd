/// The shape of an SD3-type velocity transformer: `transformer/config.json` of a diffusers folder.
package struct TransformerConfiguration: Sendable, Equatable {
    /// Extent of the latents it was trained on, in latent pixels.
    package var sampleSize: Int
    package var patchSize: Int
    package var inChannels: Int
    package var outChannels: Int
    package var layerCount: Int
    package var headCount: Int
    package var headWidth: Int
    /// Width of a text token.
    package var jointAttentionWidth: Int
    /// Width of the pooled text vector.
    package var pooledProjectionWidth: Int
    /// Rows and columns of the position table.
    package var positionTableSize: Int
    /// SD3.5: root mean square norm of queries and keys.
    package var normalizesQueriesAndKeys: Bool
    /// SD3.5-Medium: blocks with a second attention over the picture alone.
    package var dualAttentionLayers: Set<Int>

    package init(
        sampleSize: Int,
        patchSize: Int,
        inChannels: Int,
        outChannels: Int,
        layerCount: Int,
        headCount: Int,
        headWidth: Int,
        jointAttentionWidth: Int,
        pooledProjectionWidth: Int,
        positionTableSize: Int,
        normalizesQueriesAndKeys: Bool,
        dualAttentionLayers: Set<Int> = []
    ) {
        self.sampleSize = sampleSize
        self.patchSize = patchSize
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.layerCount = layerCount
        self.headCount = headCount
        self.headWidth = headWidth
        self.jointAttentionWidth = jointAttentionWidth
        self.pooledProjectionWidth = pooledProjectionWidth
        self.positionTableSize = positionTableSize
        self.normalizesQueriesAndKeys = normalizesQueriesAndKeys
        self.dualAttentionLayers = dualAttentionLayers
    }

    /// Features of a token.
    package var width: Int { headCount * headWidth }
}
