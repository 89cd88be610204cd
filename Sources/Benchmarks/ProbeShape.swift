import DiffusionModels
import Tensors

/// A network that is timed to tell of a larger one: see ``WorkTime``.
struct ProbeShape: Equatable {
    var shape: BenchmarkShape
    var discriminatorDepth: Int

    /// What is timed: the shape itself, one with fewer blocks and samples, or two that are narrower as well.
    ///
    /// - Parameters:
    ///   - depth: blocks of a discriminator.
    ///   - evaluations: of a sample that a lane makes at once.
    ///   - operations: of one run with so many of the discriminator's blocks.
    static func probes(
        _ shape: BenchmarkShape,
        depth: Int = 0,
        load: LaneLoad,
        evaluations: Int = 1,
        lanes: Int,
        operations: (BenchmarkShape, Int) -> Double
    ) -> [ProbeShape] {
        let layers = shape.configuration.layerCount
        var probe = ProbeShape(shape: shape, discriminatorDepth: min(depth, layers))
        func isDone() -> Bool {
            operations(probe.shape, probe.discriminatorDepth) <= Double(lanes) * WorkTime.operationLimit
        }
        if isDone() { return [probe] }
        let fewest = min(2, layers)
        probe.discriminatorDepth =
            depth > 0 ? max(1, (2 * fewest * probe.discriminatorDepth + layers) / (2 * layers)) : 0
        probe.shape = shape.with(layers: fewest, dualLayers: [])
        if isDone() { return [probe] }
        let atOnce = load.samples(tokens: shape.tokens * evaluations)
        probe.shape = probe.shape.with(batch: min(shape.batch, lanes * atOnce))
        if isDone() { return [probe] }
        let shallow = probe
        var heads = shape.configuration.headCount
        repeat {
            heads = max(1, heads / 2)
            probe.shape = shallow.shape.shrunk(heads: heads)
        } while heads > 1 && !isDone()
        guard heads > 1 else { return [probe] }
        var narrower = shallow
        narrower.shape = shallow.shape.shrunk(heads: heads / 2)
        return [probe, narrower]
    }
}
