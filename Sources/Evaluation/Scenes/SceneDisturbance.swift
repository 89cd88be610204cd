import Foundation
import Tensors

/// What is done to a drawn scene to see how far its reader can be trusted.
package enum SceneDisturbance: Sendable, Hashable {
    case none
    /// A Gaussian blur, its standard deviation in pixels; beyond the edge is white.
    case blur(Double)
    /// Normal noise, its standard deviation in units of model space; the sum is clamped to −1 … 1.
    case noise(Double)

    package var name: String {
        switch self {
        case .none: "clean"
        case .blur(let deviation): "blur \(deviation) px"
        case .noise(let deviation): "noise \(deviation)"
        }
    }

    /// The disturbed picture, `[3, 32, 32]`.
    func applied(to picture: Tensor, from stream: inout RandomStream) -> Tensor {
        switch self {
        case .none: return picture
        case .blur(let deviation): return Self.blurred(picture, by: deviation)
        case .noise(let deviation):
            let sum = picture.adding(stream.normal(picture.shape), scaledBy: Float(deviation))
            return Tensor(sum.values.map { min(max($0, -1), 1) }, shape: sum.shape)
        }
    }

    private static func blurred(_ picture: Tensor, by deviation: Double) -> Tensor {
        let reach = Int((4 * deviation).rounded(.up))
        let weights = (-reach...reach).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
        let sum = weights.reduce(0, +)
        let size = picture.shape[1]
        /// Along the axis whose pixels are `step` apart in memory.
        func pass(_ values: [Float], step: Int) -> [Float] {
            values.indices.map { index in
                let place = index / step % size
                let total = zip(-reach...reach, weights).reduce(0.0) { total, part in
                    let isInside = (0..<size).contains(place + part.0)
                    return total + part.1 * (isInside ? Double(values[index + part.0 * step]) : 1)
                }
                return Float(total / sum)
            }
        }
        return Tensor(pass(pass(picture.values, step: 1), step: size), shape: picture.shape)
    }
}
