import ClusterRuntime
import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct RunEstimateTests {
    @Test(arguments: AdamW.Storage.allCases)
    func `moments and the state are told as large as the networks make them`(storage: AdamW.Storage) throws {
        let teacher = try ModelFolder(path: Repository.teacher)
        var configuration = RunConfiguration(modelPath: Repository.teacher)
        configuration.training.optimizer.storage = storage
        configuration.averaging.keepsStudentAverage = true
        let networks = try TrainableNetworks(teacher: teacher, network: configuration.network, seed: 0)
        let estimate = RunEstimate(
            configuration,
            sizes: NetworkSizes(
                teacher: teacher.weights.stored.mapValues(\.shape),
                teacher.configuration,
                network: configuration.network
            ),
            storesFloats: true,
            latentCount: 1,
            textCount: 1,
            cluster: RunEstimate.Cluster(),
            measures: RunEstimate.Measures(
                rolloutActivations: 0,
                trainerActivations: 0,
                evaluationOperations: 1,
                stepOperations: 1,
                rolloutSpeed: 1,
                trainerSpeed: 1
            )
        )
        let trainer = try DistillationTrainer(
            networks,
            settings: configuration.training,
            pool: LanePool(count: 1)
        )
        let moments = trainer.studentOptimizer.memory + trainer.discriminatorOptimizer.memory
        #expect(estimate.momentByteCount == moments.reduce(0) { $0 + 4 * $1.count })
        let state = ParameterBytes(networks, configuration.averaging)
        let counts = 4  // updates made, and seen by the moments, of two optimizers
        #expect(estimate.stateCount == state.segments.reduce(-counts) { $0 + $1.values.count })
    }
}
