import Checkpoints
import ClusterMessages
import ClusterRuntime
import DiffusionModels
import Evaluation
import Foundation
import Tensors
import Testing
import ZeroMQ

struct ProcessExitTests {
    @Test(
        arguments: [
            (ConfigurationError.missingKey("model", path: "a.yaml", expected: "a folder") as any Error, 78),
            (KeyFileError.tooOpen(path: "a.key", mode: 0o644), 65),
            (KeyFileError.exists(path: "a.key"), 64),
            (ModelError.missingFile(path: "model_index.json", purpose: "a model has one"), 65),
            (CheckpointError.truncated(path: "a.safetensors", expected: 2, found: 1), 65),
            (CheckpointError.missingTensor(path: "a.safetensors", tensor: "w"), 65),
            (CheckpointError.unwritable(path: "a.json", reason: "full"), 74),
            (CoordinatorError.unwritable(path: "a.json", reason: "full"), 74),
            (CoordinatorError.ledger(path: "ledger.sqlite", reason: "disk I/O error"), 74),
            (KeyFileError.unwritable(path: "a.key"), 74),
            (FileWritingError(path: "runs/a", reason: "No space left on device"), 74),
            (CocoaError(.fileWriteOutOfSpace), 74),
            (EvaluationError.unreadable(path: "sprites.json", reason: "absent"), 65),
            (ZeroMQError.malformedKey("short"), 65),
            (ZeroMQError.insecureEndpoint("tcp://10.0.0.1:1"), 64),
            (NodeError.coordinatorUnreachable(endpoint: "tcp://a:1", silence: .seconds(1)), 69),
            (NodeError.refused(.auth, "unknown key"), 77),
            (CoordinatorError.folderInUse(path: "runs/a"), 75),
            (CoordinatorError.diskFull(path: "runs/a/ledger.sqlite"), 75),
            (CoordinatorError.badAuthorization(path: "nodes", line: 1, reason: "words"), 78),
            (LocalError.interrupted(folder: "runs/a"), 75),
            (LocalError.processFailed(name: "trainer-1", exit: .badData, log: "l", lastLine: ""), 65),
            (PretrainingError.unreadable(path: "pretraining.json"), 65),
            (PretrainingError.diverged(step: 40, updates: 20), 70),
            (CancellationError(), 75),
            (Unforeseen(), 70),
        ] as [(any Error, Int32)]
    )
    func `an error has its exit code and one line`(error: any Error, code: Int32) {
        #expect(ProcessExit(of: error).rawValue == code)
        let line = ProcessExit.line(for: error)
        #expect(
            line.hasPrefix("flowsteer: ") && line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n")
        )
    }

    private struct Unforeseen: Error, CustomStringConvertible {
        let description = "two\nlines"
    }
}
