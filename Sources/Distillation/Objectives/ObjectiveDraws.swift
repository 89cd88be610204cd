package import Tensors

/// The random numbers of one update, drawn for the whole batch before it is split over lanes, so that they do not
/// depend on the number of lanes.
package struct ObjectiveDraws: Sendable {
    /// How many an update needs for every sample.
    package struct Need: Sendable, Equatable {
        /// Uniform numbers in (0, 1].
        package var uniforms = 0
        /// Standard normal latents.
        package var noises = 0
        /// Standard normal numbers.
        package var normals = 0
        /// Uniform numbers in (0, 1] that all samples share.
        package var shared = 0

        package init(uniforms: Int = 0, noises: Int = 0, normals: Int = 0, shared: Int = 0) {
            self.uniforms = uniforms
            self.noises = noises
            self.normals = normals
            self.shared = shared
        }
    }

    /// One list a number, one entry a sample.
    package let uniforms: [[Float]]
    /// `[B, channels, height, width]` each.
    package let noises: [Tensor]
    /// One list a number, one entry a sample.
    package let normals: [[Float]]
    package let shared: [Float]

    package init(
        uniforms: [[Float]] = [],
        noises: [Tensor] = [],
        normals: [[Float]] = [],
        shared: [Float] = []
    ) {
        self.uniforms = uniforms
        self.noises = noises
        self.normals = normals
        self.shared = shared
    }

    /// - Parameter shape: of the batch's latents.
    package init(_ need: Need, shape: [Int], random: inout RandomStream) {
        uniforms = (0..<need.uniforms).map { _ in random.uniform([shape[0]]).values }
        noises = (0..<need.noises).map { _ in random.normal(shape) }
        normals = (0..<need.normals).map { _ in random.normal([shape[0]]).values }
        shared = (0..<need.shared).map { _ in random.nextUniform() }
    }

    /// Those of a range of samples.
    package func rows(_ range: Range<Int>) -> ObjectiveDraws {
        ObjectiveDraws(
            uniforms: uniforms.map { Array($0[range]) },
            noises: noises.map { $0.rows(range) },
            normals: normals.map { Array($0[range]) },
            shared: shared
        )
    }
}
