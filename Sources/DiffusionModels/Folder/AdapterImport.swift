import Checkpoints
import Foundation
package import NeuralNetwork
package import Tensors

/// Adapters of a transformer that some program saved, whatever its names: diffusers and PEFT (`transformer.…`,
/// `base_model.model.…`, `lora_A`/`lora_B` or `lora.down`/`lora.up`), kohya's tools and ComfyUI (`lora_unet_…`,
/// `diffusion_model.…`, Stability AI's modules).
///
/// Scales, from `.alpha` or diffusers' `lora_adapter_metadata`, are multiplied into the up matrices.
package struct AdapterImport: Sendable {
    /// One adapted map: W + up · down.
    package struct Update: Sendable {
        /// `[rank, in]`.
        package let down: Tensor
        /// `[out, rank]`.
        package let up: Tensor

        package var rank: Int { down.shape[0] }
    }

    package let path: String
    /// By the module's name in diffusers.
    package let updates: [String: Update]

    /// Reads a file; every key must belong to a linear map of `weights`.
    package init(path: String, for weights: Weights, layerCount: Int) throws {
        let file = try SafetensorsFile(path: path)
        let names = AdapterNames(weights, layerCount: layerCount)
        let scales = try AdapterScales(file)
        var updates: [String: Update] = [:]
        for base in try Self.bases(of: file) {
            guard let places = names[base.name] else {
                throw ModelError.badFile(
                    path: path,
                    reason: "\(base.down) adapts nothing of \(weights.origin)"
                )
            }
            let down = try file.tensor(named: base.down)
            let up = try file.tensor(named: base.up)
            guard down.shape.count == 2, up.shape.count == 2, down.shape[0] == up.shape[1], down.shape[0] >= 1
            else {
                throw ModelError.badFile(
                    path: path,
                    reason:
                        "\(base.down) of shape \(down.shape) and \(base.up) of shape \(up.shape) do not meet"
                )
            }
            let scaled = up.scaled(by: try scales.scale(of: base.name, rank: down.shape[0]))
            for place in places {
                let shape = [place.shape[0] * (place.native?.part == nil ? 1 : 3), place.shape[1]]
                guard [up.shape[0], down.shape[1]] == shape else {
                    throw ModelError.wrongShape(
                        name: base.up,
                        file: path,
                        expected: [shape[0], down.shape[0]],
                        found: up.shape
                    )
                }
                updates[place.module] = place.update(down: down, up: scaled)
            }
        }
        self.path = path
        self.updates = updates.filter { $0.value.rank > 0 }
    }

    /// As adapters of one rank, the largest; smaller ones are filled up with zeros.
    package func adapters(for weights: Weights, id: Int = 0) -> LowRankAdapters {
        let adapters = LowRankAdapters(
            rank: updates.values.map(\.rank).max() ?? 1,
            modules: weights.linearModules.filter { updates[$0.name] != nil },
            targets: Array(updates.keys),
            id: id
        )
        for module in adapters.modules { fill(module, of: adapters) }
        return adapters
    }

    /// Writes an update over the first ranks of an adapter; the others' outputs become zero.
    private func fill(_ module: String, of adapters: LowRankAdapters) {
        guard let update = updates[module], let adapter = adapters.adapter(for: module) else { return }
        adapter.down.value.rows(0..<update.rank).copy(from: update.down)
        let rest = Tensor.zeros([update.up.shape[0], adapters.rank - update.rank])
        adapter.up.value.copy(from: .joinedColumns([update.up, rest]))
    }

    /// Makes these the start of adapters in training, which may have more ranks and adapt more maps.
    package func initialize(_ adapters: LowRankAdapters) throws(ModelError) {
        for (module, update) in updates.sorted(by: { $0.key < $1.key }) {
            guard adapters.adapter(for: module) != nil else {
                throw .badFile(path: path, reason: "adapts \(module), which is not among student.targets")
            }
            guard update.rank <= adapters.rank else {
                throw .badFile(
                    path: path,
                    reason: "adapts \(module) with rank \(update.rank), student.rank is \(adapters.rank)"
                )
            }
            fill(module, of: adapters)
        }
    }

    // MARK: Keys

    private struct Base {
        let name: String
        let down: String
        let up: String
    }

    private static let downSuffixes = [".lora_A.weight", ".lora_down.weight", ".lora.down.weight"]
    private static let upSuffixes = [".lora_B.weight", ".lora_up.weight", ".lora.up.weight"]

    /// The adapters of a file; each has both matrices, and nothing else is there but alphas.
    private static func bases(of file: SafetensorsFile) throws -> [Base] {
        func stem(_ name: String, _ suffixes: [String]) -> String? {
            suffixes.first(where: name.hasSuffix).map { String(name.dropLast($0.count)) }
        }
        var downs: [String: String] = [:]
        var ups: [String: String] = [:]
        for name in file.names {
            if let base = stem(name, downSuffixes) {
                downs[base] = name
            } else if let base = stem(name, upSuffixes) {
                ups[base] = name
            } else if !name.hasSuffix(".alpha") {
                throw ModelError.badFile(path: file.path, reason: "\(name) is no part of a low-rank adapter")
            }
        }
        guard !downs.isEmpty else {
            throw ModelError.badFile(
                path: file.path,
                reason: "has no adapter (no key ends in \(downSuffixes.joined(separator: " or ")))"
            )
        }
        if let base = Set(downs.keys).symmetricDifference(ups.keys).min() {
            let half = downs[base] ?? ups[base] ?? base
            throw ModelError.badFile(path: file.path, reason: "\(half) has no other half")
        }
        return downs.sorted { $0.key < $1.key }.compactMap { base, down in
            ups[base].map { Base(name: base, down: down, up: $0) }
        }
    }
}

/// What adapters of a transformer's maps may be called.
private struct AdapterNames {
    struct Place {
        let module: String
        /// `[out, in]`.
        let shape: [Int]
        /// nil where the adapter is named after diffusers' module.
        let native: NativeModule?

        /// This map's share of an adapter; ranks that give it nothing are left out.
        func update(down: Tensor, up: Tensor) -> AdapterImport.Update {
            guard let native else { return AdapterImport.Update(down: down, up: up) }
            if native.swapsHalves { return AdapterImport.Update(down: down, up: up.withHalvesSwapped) }
            guard let part = native.part else { return AdapterImport.Update(down: down, up: up) }
            let own = up.rows(part * shape[0]..<(part + 1) * shape[0])
            let columns = (0..<down.shape[0]).map { own.column($0) }
            let used = columns.indices.filter { columns[$0].sumOfSquares > 0 }
            guard !used.isEmpty else {
                return AdapterImport.Update(down: down.rows(0..<0), up: .zeros([shape[0], 0]))
            }
            return AdapterImport.Update(
                down: .stacked(used.map { down.row($0) }),
                up: .joinedColumns(used.map { columns[$0].reshaped([shape[0], 1]) })
            )
        }
    }

    private var places: [String: [Place]] = [:]

    init(_ weights: Weights, layerCount: Int) {
        for (module, shape) in weights.linearModules {
            for prefix in ["transformer.", "base_model.model.", ""] {
                places[prefix + module] = [Place(module: module, shape: shape, native: nil)]
            }
            places["lora_transformer_" + module.replacing(".", with: "_")] = [
                Place(module: module, shape: shape, native: nil)
            ]
            guard let native = NativeModule(module, layerCount: layerCount) else { continue }
            let place = Place(module: module, shape: shape, native: native)
            // Three maps share the name of a joint one. A map of its own may be called the same in both layouts.
            places[KohyaAdapterFile.prefix + native.name.replacing(".", with: "_"), default: []].append(place)
            places["diffusion_model." + native.name, default: []].append(place)
        }
    }

    subscript(name: String) -> [Place]? { places[name] }
}

/// What the up matrices of a file are multiplied with.
private struct AdapterScales {
    /// diffusers' `lora_adapter_metadata`: PEFT's settings, `transformer.` before each.
    private struct Settings {
        let alpha: Double
        let alphas: [String: Double]
        let usesRootOfRank: Bool
    }

    private let file: SafetensorsFile
    private let settings: Settings?

    init(_ file: SafetensorsFile) throws {
        self.file = file
        guard let text = file.metadata[AdapterFile.metadataKey] else {
            settings = nil
            return
        }
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw ModelError.badFile(
                path: file.path,
                reason: "\(AdapterFile.metadataKey) is not a JSON object"
            )
        }
        let alpha = object["transformer.lora_alpha"] as? NSNumber
        settings = alpha.map {
            Settings(
                alpha: $0.doubleValue,
                alphas: (object["transformer.alpha_pattern"] as? [String: NSNumber] ?? [:])
                    .mapValues(\.doubleValue),
                usesRootOfRank: object["transformer.use_rslora"] as? Bool ?? false
            )
        }
    }

    func scale(of base: String, rank: Int) throws -> Float {
        if file.contains(base + ".alpha") {
            return try file.tensor(named: base + ".alpha").values.first.map { $0 / Float(rank) } ?? 1
        }
        guard let settings, base.hasPrefix("transformer.") else { return 1 }
        let module = String(base.dropFirst("transformer.".count))
        let own = settings.alphas.first { LowRankAdapters.matches(module, [$0.key]) }
        let alpha = own?.value ?? settings.alpha
        return Float(alpha / (settings.usesRootOfRank ? Double(rank).squareRoot() : Double(rank)))
    }
}
