package import Tensors

/// Adapters for the linear maps of a network that a student trains in place of its weights (LoRA, Hu and others 2021).
///
/// The scale is alpha / rank with alpha = rank, so exported files need no alpha.
package struct LowRankAdapters: Sendable {
    package let rank: Int
    /// Parameters `<module>.lora_A.weight` `[rank, in]` and `<module>.lora_B.weight` `[out, rank]`, PEFT's names.
    package let parameters: ParameterSet

    /// Lays out adapters for the modules that `targets` select.
    ///
    /// - Parameters:
    ///   - modules: names and weight shapes `[out, in]` of a network's linear maps.
    ///   - targets: a module is adapted when its name is a target or ends in `.target`, as PEFT matches.
    ///   - id: number of the new parameter set.
    package init(rank: Int, modules: [(name: String, shape: [Int])], targets: [String], id: Int) {
        precondition(rank >= 1, "a rank is at least one, got \(rank)")
        let adapted = modules.filter { Self.matches($0.name, targets) }
        self.rank = rank
        parameters = ParameterSet(
            id: id,
            layout: ParameterLayout(
                adapted.sorted { $0.name < $1.name }.flatMap { module in
                    [
                        (module.name + ".lora_A.weight", [rank, module.shape[1]]),
                        (module.name + ".lora_B.weight", [module.shape[0], rank]),
                    ]
                }
            )
        )
    }

    /// Adapters with other numbers.
    ///
    /// - Parameter parameters: of the layout that adapters of this rank have.
    package init(rank: Int, parameters: ParameterSet) {
        self.rank = rank
        self.parameters = parameters
    }

    /// True when a target names the module or a suffix of its path.
    package static func matches(_ module: String, _ targets: [String]) -> Bool {
        targets.contains { module == $0 || module.hasSuffix("." + $0) }
    }

    /// Draws every `lora_A` from N(0, 1/in) and sets every `lora_B` to zero: the adapted network starts equal.
    package func initialize(seed: UInt64) {
        for (index, (name, tensor)) in parameters.tensors.enumerated() {
            guard name.hasSuffix(".lora_A.weight") else {
                tensor.fill(0)
                continue
            }
            var stream = RandomStream(key: seed, stream: UInt64(index))
            tensor.copy(from: stream.normal(tensor.shape).scaled(by: 1 / Float(tensor.shape[1]).squareRoot()))
        }
    }

    /// The adapter of a module; nil for one that is not adapted.
    package func adapter(for module: String) -> LowRankAdapter? {
        guard
            let down = parameters.parameter(named: module + ".lora_A.weight"),
            let up = parameters.parameter(named: module + ".lora_B.weight")
        else { return nil }
        return LowRankAdapter(down: down, up: up, scale: 1)
    }
}
