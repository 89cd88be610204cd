/// Why a benchmark cannot be run as asked.
package enum BenchmarkError: Error, Equatable, CustomStringConvertible {
    /// The shape is of one block alone, and the benchmark needs a network.
    case needsNetwork(benchmark: String, shape: String)

    package var description: String {
        switch self {
        case .needsNetwork(let benchmark, let shape):
            "shape \(shape) is one block: \(benchmark) needs a whole network (emoji, tiny or small)"
        }
    }
}
