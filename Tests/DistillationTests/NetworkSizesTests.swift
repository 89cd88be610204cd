import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct NetworkSizesTests {
    @Test(arguments: [1, 3, 6])
    func `sizes told from shapes are those of the networks`(depth: Int) throws {
        let teacher = try ModelFolder(path: Repository.teacher)
        var network = NetworkSettings()
        network.rank = 5
        network.discriminatorDepth = depth
        let sizes = NetworkSizes(
            teacher: teacher.weights.tensors.mapValues(\.shape),
            teacher.configuration,
            network: network
        )
        let networks = try TrainableNetworks(teacher: teacher, network: network, seed: 0)
        #expect(sizes.weights == teacher.weights.tensors.values.reduce(0) { $0 + $1.count })
        #expect(sizes.adapters == networks.adapters.parameters.layout.count)
        #expect(sizes.discriminator == networks.discriminator.parameters.layout.count)
    }
}
