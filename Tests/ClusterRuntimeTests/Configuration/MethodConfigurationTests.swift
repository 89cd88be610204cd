import ClusterRuntime
import DiffusionModels
import Distillation
import NeuralNetwork
import TestSupport
import Testing

/// What `method:` does to a configuration.
struct MethodConfigurationTests {
    private let folder = TemporaryRun()

    private func read(_ yaml: String, flags: [ConfigurationOverride] = []) throws -> RunConfiguration {
        let path = try folder.file("run.yaml", "model: /teacher\n" + yaml)
        return try RunConfiguration(file: path, overrides: flags)
    }

    @Test(arguments: Method.allCases)
    func `every method has a configuration that reads back equal`(method: Method) throws {
        let configuration = try read("method: \(method.rawValue)")
        #expect(configuration.training.method == method)
        let again = try RunConfiguration(yaml: configuration.yaml, path: "/elsewhere/config.yaml")
        #expect(again == configuration)
        #expect(again.yaml == configuration.yaml)
    }

    @Test(arguments: Method.allCases)
    func `every method runs on the emoji preset by one flag`(method: Method) throws {
        let configuration = try RunConfiguration(
            file: "\(Repository.root)Cluster/emoji.yaml",
            overrides: [.init(key: "method", value: method.rawValue)]
        )
        #expect(configuration.training.method == method)
        // The teacher's and the cluster's keys stand, whatever the method.
        #expect(configuration.trajectory.guidance == 2.75...3.25)
        #expect(configuration.training.optimizer.learningRate == 1.5e-3)
    }

    @Test func `a method has its own defaults`() throws {
        #expect(try read("method: perflow").trajectory.onlineAlignment == false)
        let ladd = try read("method: ladd\ntraining: {local_steps: 100, rounds: 20}")
        #expect(ladd.training.segmentProbabilities == [0.7, 0.1, 0.1, 0.1])
        #expect(ladd.network.discriminator.mode == .frozen && ladd.network.discriminator.heads == .every)
        #expect(ladd.training.stageSteps == 50)
        let flash = try read("method: flash\ntraining: {local_steps: 10, rounds: 8}")
        #expect(flash.training.stageSteps == 20 && flash.training.adversarialLoss == .lsgan)
    }

    @Test func `what a file says for its method gives way where a flag states another`() throws {
        let file = "training: {segment_probabilities: [1, 0, 0, 0], adversarial_weight: 0.9}\n"
        let flag = ConfigurationOverride(key: "method", value: "ladd")
        let ladd = try read(file, flags: [flag])
        #expect(ladd.training.segmentProbabilities[0] == 0.7 && ladd.training.adversarialWeight == 1)
        let same = try read(file, flags: [.init(key: "method", value: "flowsteer")])
        #expect(same.training.segmentProbabilities[0] == 1 && same.training.adversarialWeight == 0.9)
        let stated = try read(file, flags: [flag, .init(key: "training.adversarial_weight", value: "0.5")])
        #expect(stated.training.adversarialWeight == 0.5)
    }

    @Test(arguments: [
        (
            "method: flowster",
            "run.yaml:2: method is 'flowster': expected flowsteer or perflow or reflow or consistency or pcm or "
                + "hyper-sd or flash or dmd or ladd"
        ),
        (
            "method: reflow\ntraining: {places: start}",
            "run.yaml:3: training.places means nothing to method reflow: expected it to be left out, or method "
                + "flowsteer or perflow"
        ),
        (
            "method: perflow\ntraining: {discriminator_optimizer: adamw8bit}",
            "run.yaml:3: training.discriminator_optimizer means nothing to method perflow: expected it to be left "
                + "out, or method flowsteer or pcm or hyper-sd or flash or dmd or ladd"
        ),
        (
            "training: {critic_steps: 5}",
            "run.yaml:2: training.critic_steps means nothing to method flowsteer: expected it to be left out, or "
                + "method dmd"
        ),
        (
            "method: hyper-sd\ntraining: {stages: [8, 3]}",
            "run.yaml:3: training.stages is ['8', '3']: expected divisors of the teacher's 32 steps"
        ),
        (
            "method: hyper-sd\ntrajectory: {schedule: stock}",
            "run.yaml:3: trajectory.schedule is stock: not supported, expected 'rectified' for hyper-sd"
        ),
    ])
    func `a method that nobody knows, or a key it makes nothing of, is refused`(yaml: String, text: String) {
        #expect(refusal(ofKeys: yaml) == text)
    }

    @Test func `how a student is sampled follows from its method`() throws {
        #expect(try read("method: flowsteer").sampling == StudentSampling())
        #expect(try read("method: dmd").sampling.rule == .jumps(segments: 1))
        #expect(try read("method: pcm").sampling.rule == .jumps(segments: 4))
        let guided = try read("method: hyper-sd\nstudent: {guidance: 1.5}\ntraining: {stages: [8, 4]}")
        #expect(guided.sampling.rule == .jumps(segments: 4) && guided.sampling.guidance == 1.5)
    }
}
