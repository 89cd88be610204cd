import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct NetworkSizesTests {
    @Test(arguments: [1, 3, 6], DiscriminatorShape.Mode.allCases)
    func `sizes told from shapes are those of the networks`(depth: Int, mode: DiscriminatorShape.Mode) throws
    {
        let teacher = try ModelFolder(path: Repository.teacher)
        var network = NetworkSettings()
        network.rank = 5
        network.discriminator.depth = depth
        network.discriminator.mode = mode
        network.discriminator.heads = depth == 3 ? .every : .last
        for student in Student.Mode.allCases {
            network.student = student
            let sizes = NetworkSizes(
                teacher: teacher.weights.stored.mapValues(\.shape),
                teacher.configuration,
                network: network
            )
            let networks = try TrainableNetworks(teacher: teacher, network: network, seed: 0)
            #expect(sizes.weights == teacher.weights.stored.values.reduce(0) { $0 + $1.count })
            #expect(sizes.positions == teacher.weights.stored["pos_embed.pos_embed"]?.count)
            #expect(sizes.student == networks.student.parameters.layout.count)
            #expect(sizes.critic == networks.critic.parameters.layout.count)
        }
    }
}
