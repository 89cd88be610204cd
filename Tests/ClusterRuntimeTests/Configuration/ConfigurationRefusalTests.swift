import ClusterRuntime
import Foundation
import Testing

/// Every refusal names the place, the key, the value and what was expected.
struct ConfigurationRefusalTests {
    @Test(
        arguments: [
            ("model: m\ntraning: {rounds: 3}", "run.yaml:2: unknown key 'traning': did you mean 'training'?"),
            (
                "model: m\ntraining:\n  batchsize: 3",
                "run.yaml:3: unknown key 'training.batchsize': did you mean 'training.batch_size'?"
            ),
            ("modell: m", "run.yaml:1: unknown key 'modell': did you mean 'model'?"),
            (
                "model: m\ncluster:\n  averaging:\n    studnt: mean",
                "run.yaml:4: unknown key 'cluster.averaging.studnt': did you mean 'cluster.averaging.student'?"
            ),
        ]
    )
    func `an unknown key is refused with its line and the nearest known one`(yaml: String, text: String) {
        #expect(refusal(of: yaml) == text)
    }

    @Test(
        arguments: [
            ("seed: -1", "seed is '-1': expected a whole number, 0 or more"),
            ("training: {rounds: many}", "training.rounds is 'many': expected a whole number, 1 to 1000000"),
            ("training: {batch_size: 0}", "training.batch_size is '0': expected a whole number, 1 to 65536"),
            ("training: {batch_size: [1]}", "training.batch_size is ['1']: expected one value"),
            ("training: {learning_rate: 0}", "training.learning_rate is '0': expected a positive number"),
            ("training: {learning_rate: nan}", "training.learning_rate is 'nan': expected a positive number"),
            (
                "training: {betas: [0.9]}",
                "training.betas is ['0.9']: expected a list of 2 numbers, each a number from 0.0 to below 1.0"
            ),
            (
                "training: {segment_probabilities: [0.5, 0.5, 0.5, 0]}",
                "training.segment_probabilities is ['0.5', '0.5', '0.5', '0']: expected numbers that add up to 1"
            ),
            (
                "trajectory: {schedule: linear}",
                "trajectory.schedule is 'linear': expected rectified or stock"
            ),
            (
                "trajectory: {guidance: [3, 2]}",
                "trajectory.guidance is ['3', '2']: expected the lower bound first"
            ),
            (
                "trajectory: {online_alignment: maybe}",
                "trajectory.online_alignment is 'maybe': expected true or false"
            ),
            ("cluster: {suspect: 0.5}", "cluster.suspect is '0.5': expected more than cluster.ping"),
            ("cluster: {dead: 2}", "cluster.dead is '2': expected more than cluster.suspect"),
            ("cluster: {quorum: 1.5}", "cluster.quorum is '1.5': expected a number from 0.0 to 1.0"),
            (
                "discriminator: {loss: mse}",
                "discriminator.loss is 'mse': expected hinge or lsgan or wgan or non-saturating or vanilla"
            ),
            ("student: {mode: whole}", "student.mode is 'whole': expected lora or full"),
            ("discriminator: {head: first}", "discriminator.head is 'first': expected last or every"),
            (
                "discriminator: {mode: thawed}",
                "discriminator.mode is 'thawed': expected full or lora or frozen"
            ),
            (
                "cluster: {averaging: {discriminator: nesterov}}",
                "cluster.averaging.discriminator is nesterov: not supported, expected 'mean'"
            ),
        ]
    )
    func `a value of the wrong type or out of range is refused`(line: String, text: String) {
        #expect(refusal(of: "model: m\n" + line) == "run.yaml:2: " + text)
    }

    @Test func `text that is no YAML, or no keys, is refused in one line`() {
        #expect(refusal(of: "model: [1, 2\nseed: 3").hasPrefix("run.yaml:"))
        #expect(!refusal(of: "model: [1, 2\nseed: 3").contains("\n"))
        #expect(refusal(of: "- a\n- b") == "run.yaml:1: expected keys with values")
        #expect(refusal(of: "model: m\ntraining: 3") == "run.yaml:2: training: expected a group of keys")
        #expect(refusal(of: "") == "run.yaml: model is missing: expected the teacher's folder")
        #expect(refusal(of: "model: m\nseed: 1\nseed: 2").contains("seed"))
        #expect(refusal(of: "model: m\nseed: 1\nseed: 2") != "read")
    }

    @Test func `prompts from a file need the file`() {
        #expect(
            refusal(of: "model: m\nprompts: {kind: file}")
                == "run.yaml: prompts.path is missing: expected a file with one prompt a line"
        )
        #expect(
            refusal(of: "model: m\nprompts: {kind: csv}")
                == "run.yaml: prompts.path is missing: expected a file of comma-separated values with a header"
        )
    }

    @Test func `overrides are refused by the name of the flag or the variable`() throws {
        let folder = TemporaryRun()
        let path = try folder.file("run.yaml", "model: m\n")
        func refusal(_ overrides: [ConfigurationOverride], _ environment: [String: String]) -> String {
            do {
                _ = try RunConfiguration(file: path, overrides: overrides, environment: environment)
                return "read"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            refusal([.init(key: "training.round", value: "1")], [:])
                == "--set: unknown key 'training.round': did you mean 'training.rounds'?"
        )
        #expect(
            refusal([.init(key: "seed", value: "x")], [:])
                == "--set: seed is 'x': expected a whole number, 0 or more"
        )
        #expect(
            refusal([], ["FLOWSTEER_SEEDS": "1"])
                == "environment variable FLOWSTEER_SEEDS: unknown key 'FLOWSTEER_SEEDS': "
                + "did you mean 'FLOWSTEER_SEED'?"
        )
        #expect(
            refusal([], ["FLOWSTEER_SEED": "x"])
                == "environment variable FLOWSTEER_SEED: seed is 'x': expected a whole number, 0 or more"
        )
    }

    @Test func `a file that is not there is named`() {
        let error = #expect(throws: ConfigurationError.self) { try RunConfiguration(file: "/none.yaml") }
        #expect(
            error?.description
                == "/none.yaml: cannot be read: there is no such file: expected a configuration such as Cluster/emoji.yaml"
        )
    }
}
