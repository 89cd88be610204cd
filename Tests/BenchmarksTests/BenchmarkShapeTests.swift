import Benchmarks
import DiffusionModels
import Testing

@Suite struct BenchmarkShapeTests {
    @Test func `shapes have the tokens and widths they are known by`() {
        let sizes = BenchmarkShape.all.map { [$0.pictureTokens, $0.textTokens, $0.width, $0.batch] }
        #expect(
            sizes == [[64, 16, 160, 32], [64, 16, 192, 16], [256, 77, 384, 8], [1024, 154, 1536, 1]]
        )
    }

    @Test func `a shape is found by its name`() {
        #expect(BenchmarkShape.named("sd3-block") == .sd3Block)
        #expect(BenchmarkShape.named("large") == nil)
    }

    @Test(arguments: [(64, 8, 8), (128, 8, 16), (2048, 32, 64), (15, 3, 5), (7, 1, 7)])
    func `tokens make a picture as square as they allow`(tokens: Int, rows: Int, columns: Int) {
        let shape = BenchmarkShape.tiny.with(pictureTokens: tokens)
        #expect(shape.grid == (rows, columns))
        #expect(shape.latentShape == [4, 2 * rows, 2 * columns])
        #expect(shape.configuration.positionTableSize >= columns)
    }
}
