package import ClusterMessages
package import Distillation
import Evaluation
import Tensors

/// The run's endless sequence of prompts, of which batch `b` holds positions `b·n ..< (b+1)·n`.
///
/// The prompt at a position is a pure function of the configuration. A file's prompts come in another order
/// in every epoch, each once.
package struct PromptCorpus: Sendable {
    private enum Source: Sendable {
        case scenes(SceneCaptions)
        case prompts([String])
    }

    /// Sets the order of a file apart from everything else that is drawn by the run's seed.
    private static let orderPurpose: UInt64 = 0x6F72_6465_7220_6F66

    private let source: Source
    private let seed: UInt64
    private let batchSamples: Int
    /// Captions drawn so far, from the first on: captions come as prefixes of their sequence only.
    private var captions: [String] = []
    /// Orders of the epochs in use.
    private var orders: [Int: [Int]] = [:]

    /// Opens the prompts of a run.
    package init(_ configuration: RunConfiguration) throws(CoordinatorError) {
        seed = configuration.seed
        batchSamples = configuration.batchSamples
        switch configuration.prompts.kind {
        case .scenes:
            let path = configuration.spritesPath
            do {
                let catalog = try SpriteCatalog(path: path)
                source = .scenes(try SceneCaptions(catalog, shares: configuration.prompts.tasks))
            } catch {
                throw .badPrompts(path: path, reason: "\(error)")
            }
        case .file, .jsonl, .csv: source = .prompts(try PromptFile.read(configuration.prompts))
        }
    }

    /// The samples of a batch; their ids are their positions.
    package mutating func samples(of batch: BatchID) -> [PromptSample] {
        let start = Int(clamping: batch.rawValue) * batchSamples
        return (start..<start + batchSamples).map { position in
            PromptSample(promptID: UInt64(position), sample: 0, text: text(at: position))
        }
    }

    private mutating func text(at position: Int) -> String {
        switch source {
        case .scenes(let scenes):
            if position >= captions.count {
                // Doubling, so that a caption is drawn anew only a few times.
                let count = max(1024, 2 * captions.count, position + 1)
                captions = scenes.training(count: count, seed: seed).map(\.text)
            }
            return captions[position]
        case .prompts(let prompts):
            let (epoch, place) = position.quotientAndRemainder(dividingBy: prompts.count)
            return prompts[order(ofEpoch: epoch, count: prompts.count)[place]]
        }
    }

    private mutating func order(ofEpoch epoch: Int, count: Int) -> [Int] {
        if let order = orders[epoch] { return order }
        var order = Array(0..<count)
        var random = RandomStream(key: seed ^ Self.orderPurpose, stream: UInt64(epoch))
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, random.nextInteger(below: last + 1))
        }
        orders = orders.filter { $0.key == epoch - 1 }
        orders[epoch] = order
        return order
    }
}
