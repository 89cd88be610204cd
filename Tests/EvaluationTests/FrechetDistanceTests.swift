import Foundation
import Tensors
import Testing

@testable import Evaluation

struct FrechetDistanceTests {
    /// A rotation in three dimensions.
    private let rotation: [[Double]] = [[2, -2, 1], [1, 2, 2], [2, 1, -2]].map { $0.map { $0 / 3 } }

    @Test func `of normal distributions with common axes it has a closed form`() {
        let x = FrechetDistance.Moments(mean: [1, 2, 3], covariance: rotated([4, 9, 0.25]))
        let y = FrechetDistance.Moments(mean: [1, 0, 4], covariance: rotated([1, 16, 0]))
        // ‖(0, 2, −1)‖² and Σ (√a − √b)²; the root of what rounding makes of 0 is some 1e-8.
        #expect(abs(FrechetDistance.squared(x, y) - (5 + 1 + 1 + 0.25)) < 1e-6)
        #expect(abs(FrechetDistance.squared(y, x) - 7.25) < 1e-6)
        #expect(FrechetDistance.squared(x, x) < 1e-9)
    }

    @Test func `of two dimensions with different axes too`() {
        let (a, b) = (matrix([2, 1, 1, 3]), matrix([5, -2, -2, 1]))
        let x = FrechetDistance.Moments(mean: [0, 0], covariance: a)
        let y = FrechetDistance.Moments(mean: [0, 0], covariance: b)
        // The product's eigenvalues have the sum of their roots √(tr AB + 2 √(det A · det B)).
        let trace = 2.0 * 5 - 2 - 2 + 3
        let cross = (trace + 2 * (5.0 * 1).squareRoot()).squareRoot()
        #expect(abs(FrechetDistance.squared(x, y) - (5 + 6 - 2 * cross)) < 1e-9)
    }

    @Test func `sets that differ in brightness are apart by the squares of their colours' differences`()
        throws
    {
        var stream = RandomStream(key: 1, stream: 1)
        let shape = [6, 3, 32, 32]
        let noise = Tensor.zeros(shape).adding(stream.uniform(shape), scaledBy: 0.25)
        let lighter = Tensor(noise.values.map { $0 + 0.5 }, shape: shape)
        let distance = try #require(FrechetDistance.squared(noise, lighter))
        #expect(abs(distance - 48 * 0.25) < 1e-4)
        #expect(try #require(FrechetDistance.squared(noise, noise)) < 1e-6)
    }

    @Test func `a picture's numbers are its cells' colours and contrasts`() {
        // Red left half, in which every second column is black.
        var values = [Float](repeating: 0, count: 3 * 8 * 8)
        for y in 0..<8 { for x in stride(from: 0, to: 4, by: 2) { values[y * 8 + x] = 0.75 } }
        let features = PictureFeatures.features(of: Tensor(values, shape: [3, 8, 8]))
        #expect(features.count == PictureFeatures.count)
        #expect(Array(features[..<6]) == [0.375, 0, 0, 0.375, 0, 0])
        #expect(Array(features[6..<12]) == [Double](repeating: 0, count: 6))
        // Steps of 0.25 to the right and none down; the cell at the half's edge has one column of them.
        #expect(abs(features[48] - (0.0625 / 2).squareRoot()) < 1e-7)
        #expect(abs(features[49] - (0.0625 / 4).squareRoot()) < 1e-7)
        #expect(features[50] == 0)
    }

    @Test func `latents and pictures that cannot be cut have none`() {
        #expect(FrechetDistance.squared(.zeros([4, 16, 8, 8]), .zeros([4, 16, 8, 8])) == nil)
        #expect(FrechetDistance.squared(.zeros([4, 3, 9, 8]), .zeros([4, 3, 9, 8])) == nil)
        #expect(FrechetDistance.squared(.zeros([1, 3, 8, 8]), .zeros([1, 3, 8, 8])) == nil)
    }

    @Test func `diversity is the mean distance of all pairs`() {
        let samples = Tensor([0, 0, 1, 1, 3, 3], shape: [3, 1, 1, 2])
        #expect(PairwiseDiversity.ofPrompt(samples) == 2)
        #expect(PairwiseDiversity.ofPrompt(Tensor([2, 2], shape: [2, 1, 1, 1])) == 0)
    }

    private func matrix(_ elements: [Double]) -> SymmetricMatrix {
        SymmetricMatrix(size: Int(Double(elements.count).squareRoot()), elements: elements)
    }

    /// R · diag · Rᵀ.
    private func rotated(_ diagonal: [Double]) -> SymmetricMatrix {
        var elements: [Double] = []
        for row in rotation {
            for column in rotation {
                let scaled: [Double] = zip(row, diagonal).map { $0 * $1 }
                elements.append(zip(scaled, column).reduce(0.0) { $0 + $1.0 * $1.1 })
            }
        }
        return matrix(elements)
    }
}
