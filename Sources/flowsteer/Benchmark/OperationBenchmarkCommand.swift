import ArgumentParser
import Benchmarks
import Tensors

/// `flowsteer benchmark operation`.
struct OperationBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operation",
        abstract: "One operation of a block on the tokens of a batch."
    )

    @Argument(help: "The operation.")
    var name: OperationBenchmark.Kind

    @Flag(help: "The gradients too.")
    var gradients = false

    @OptionGroup var options: BenchmarkOptions

    func run() throws {
        let setting = try options.setting(for: .float32)
        try options.report(name.rawValue + (gradients ? ", gradients" : ""), setting) {
            try OperationBenchmark(name, setting.shape, hasGradients: gradients, pool: setting.pool)
        }
    }
}

/// `flowsteer benchmark gemm`.
struct ProductBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gemm",
        abstract: "Matrix products, one in every lane: those of a shape's block, or one of a given size."
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(help: "Rows, columns and inner extent of one product, as in 512x384x1536.")
    var size: String?

    func run() throws {
        let setting = try options.setting(for: .float32)
        let sizes = try size.map { [try Self.parsed($0)] } ?? setting.shape.productSizes(lanes: setting.lanes)
        var session = BenchmarkSession(options, setting)
        for (name, m, n, k) in sizes {
            for layout in ProductBenchmark.Layout.allCases {
                let layoutName = layout == .forward ? "" : ", " + layout.rawValue
                var product = ProductBenchmark(m: m, n: n, k: k, layout: layout, pool: setting.pool)
                try session.measure("\(name) \(m)x\(n)x\(k)\(layoutName)", &product)
            }
        }
        try session.finish()
    }

    private static func parsed(_ size: String) throws -> (name: String, m: Int, n: Int, k: Int) {
        let extents = size.split(separator: "x").compactMap { Int($0) }
        guard extents.count == 3, extents.allSatisfy({ (1...65_536).contains($0) }) else {
            throw ValidationError("--size is \(size): expected three extents as in 512x384x1536")
        }
        return ("product", extents[0], extents[1], extents[2])
    }
}

extension OperationBenchmark.Kind: ExpressibleByArgument {}
