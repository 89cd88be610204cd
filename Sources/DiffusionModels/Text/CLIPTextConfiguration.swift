package import Tensors

/// The shape of a CLIP text encoder: `config.json` of a transformers `CLIPTextModelWithProjection`.
package struct CLIPTextConfiguration: Sendable, Equatable {
    package var vocabularySize: Int
    package var width: Int
    package var innerWidth: Int
    package var projectionWidth: Int
    package var layerCount: Int
    package var headCount: Int
    /// Longest prompt in tokens, start and end included.
    package var positionCount: Int
    package var activation: Activation
    package var normEpsilon: Float
    /// The token whose features become the pooled vector.
    package var endToken: Int
    /// What the deviations of weights that are drawn anew are multiplied with.
    package var initializerFactor: Float

    package init(
        vocabularySize: Int,
        width: Int,
        innerWidth: Int,
        projectionWidth: Int,
        layerCount: Int,
        headCount: Int,
        positionCount: Int,
        activation: Activation,
        normEpsilon: Float = 1e-5,
        endToken: Int,
        initializerFactor: Float = 1
    ) {
        self.vocabularySize = vocabularySize
        self.width = width
        self.innerWidth = innerWidth
        self.projectionWidth = projectionWidth
        self.layerCount = layerCount
        self.headCount = headCount
        self.positionCount = positionCount
        self.activation = activation
        self.normEpsilon = normEpsilon
        self.endToken = endToken
        self.initializerFactor = initializerFactor
    }

    /// transformers reads the pooled vector at the largest id when the configuration names the end token 2,
    /// a value left over from before it was written correctly.
    var poolsAtLargestToken: Bool { endToken == 2 }
}
