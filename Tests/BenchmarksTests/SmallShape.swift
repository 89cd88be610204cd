import Benchmarks

extension BenchmarkShape {
    /// The emoji model on two pictures of two by two tokens: runs in no time.
    static let minute = BenchmarkShape.emoji.with(batch: 2).with(pictureTokens: 4)
}
