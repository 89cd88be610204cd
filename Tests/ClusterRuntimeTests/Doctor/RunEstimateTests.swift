import ClusterRuntime
import Coordination
import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct RunEstimateTests {
    private func estimate(
        _ configuration: RunConfiguration,
        _ teacher: ModelFolder,
        latentCount: Int,
        cluster: RunEstimate.Cluster = RunEstimate.Cluster()
    ) -> RunEstimate {
        RunEstimate(
            configuration,
            sizes: NetworkSizes(
                teacher: teacher.weights.stored.mapValues(\.shape),
                teacher.configuration,
                network: configuration.network
            ),
            storesFloats: true,
            latentCount: latentCount,
            textCount: 1,
            textMemory: TextMemory(),
            cluster: cluster,
            measures: RunEstimate.Measures(
                rolloutActivations: 0,
                trainerActivations: 0,
                secondsPerEvaluation: 1e-3,
                secondsPerStep: 3,
                secondsPerEarlyStep: 2
            )
        )
    }

    @Test(arguments: Method.allCases)
    func `a batch of trajectories is told as large and as dear as the method makes it`(method: Method) throws
    {
        let teacher = try ModelFolder(path: Repository.teacher)
        var configuration = RunConfiguration(modelPath: Repository.teacher)
        method.applyDefaults(
            trajectory: &configuration.trajectory,
            network: &configuration.network,
            training: &configuration.training
        )
        configuration.trajectory.stepsPerSegment = 1
        configuration.batchSamples = 1
        let alignment = OnlineTrajectoryAlignment(
            configuration.trajectory,
            segmentProbabilities: configuration.training.segmentProbabilities,
            shift: teacher.shift,
            seed: configuration.seed
        )
        let pool = LanePool(count: 1)
        let text = try teacher.text.encode([""], on: pool.lanes[0].tape)
        let shape = Array(teacher.latentShape(count: 1).dropFirst())
        let batch = try alignment.rollOut(
            [PromptSample(promptID: 0, sample: 0, text: "")],
            conditional: text,
            unconditional: text,
            teacher: teacher.makeTransformer(),
            latentShape: shape,
            pool: pool
        )
        let told = estimate(configuration, teacher, latentCount: shape.reduce(1, *))
        #expect(told.batchByteCount == 4 * batch.states.count)
        // Flash Diffusion's way to data begins a step before or behind an edge now and then.
        let evaluations: ClosedRange<Double> =
            switch method {
            case .flash: 26...30
            case .perflow: 16...16
            default: 8...8
            }
        #expect(evaluations.contains(configuration.evaluationsPerBatch))
    }

    @Test(arguments: Method.allCases)
    func `a state is told as large as what the method trains`(method: Method) throws {
        let teacher = try ModelFolder(path: Repository.teacher)
        let configuration = RunConfiguration(modelPath: Repository.teacher, method: method)
        let networks = try TrainableNetworks(teacher: teacher, network: configuration.network, seed: 0)
        let state = ParameterBytes(networks, configuration.averaging)
        let told = estimate(configuration, teacher, latentCount: 1).stateCount
        let counts = 4  // updates made, and seen by the moments, of two optimizers
        #expect(told + counts == state.segments.reduce(0) { $0 + $1.values.count })
        let isJudged = ![.perflow, .reflow, .consistency].contains(method)
        #expect(state.segments.contains { $0.name.hasPrefix("discriminator") } == isJudged)
    }

    @Test(arguments: AdamW.Storage.allCases, Student.Mode.allCases)
    func `moments and the state are told as large as the networks make them`(
        storage: AdamW.Storage,
        student: Student.Mode
    ) throws {
        let teacher = try ModelFolder(path: Repository.teacher)
        var configuration = RunConfiguration(modelPath: Repository.teacher)
        configuration.training.optimizer.storage = storage
        configuration.averaging.keepsStudentAverage = true
        configuration.network.student = student
        let networks = try TrainableNetworks(teacher: teacher, network: configuration.network, seed: 0)
        let estimate = estimate(configuration, teacher, latentCount: 1)
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

    @Test(arguments: [(latentCount: 1024, byteCount: 163_840), (latentCount: 1 << 20, byteCount: 16 << 20)])
    func `a rollout has memory for what every trainer may ask for of a batch at once`(
        latentCount: Int,
        byteCount: Int
    ) throws {
        let teacher = try ModelFolder(path: Repository.teacher)
        var cluster = RunEstimate.Cluster()
        cluster.trainers = 3
        let told = estimate(
            RunConfiguration(modelPath: Repository.teacher),
            teacher,
            latentCount: latentCount,
            cluster: cluster
        )
        let onTheirWay = told.rolloutMemory.parts.first { $0.name == "messages on their way" }
        #expect(onTheirWay?.byteCount == 3 * byteCount)
    }

    @Test func `steps before the discriminator takes part are told by their own time`() throws {
        let teacher = try ModelFolder(path: Repository.teacher)
        var configuration = RunConfiguration(modelPath: Repository.teacher)
        configuration.cluster.localSteps = 1000
        configuration.cluster.rounds = 2
        configuration.training.adversarialStartStep = 500
        let told = estimate(configuration, teacher, latentCount: 1)
        #expect(told.trainingPerRound > told.solvingPerRound)
        #expect(told.runSeconds == 500 * 2 + 1500 * 3)
    }
}
