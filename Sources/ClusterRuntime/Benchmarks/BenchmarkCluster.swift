import Foundation
import ZeroMQ

/// A temporary run with a coordinator as a process of its own, which is measured from outside.
struct BenchmarkCluster: Sendable {
    /// Time a coordinator has to open its run.
    private static let patience = 60

    let folder: LocalRunFolder
    let executable: String

    /// Makes the folder, the configuration and the coordinator's keys.
    ///
    /// - Parameter nodes: the names, roles and keys of those who are let in.
    init(
        executable: String,
        configuration: RunConfiguration,
        nodes: [(name: String, role: String, key: CurvePublicKey)]
    ) throws {
        self.executable = executable
        let name = "flowsteer-benchmark-\(UUID().uuidString)"
        folder = LocalRunFolder(FileManager.default.temporaryDirectory.appending(path: name).path())
        for path in [folder.path, folder.keys, folder.logs] { try LocalRunFolder.create(path) }
        _ = try KeyFile.generate(prefix: "\(folder.keys)/coordinator")
        let lines = nodes.map { "\($0.name) \($0.role) \($0.key.text)\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: authorizedNodesPath), options: .atomic)
        try Data(configuration.yaml.utf8).write(to: URL(filePath: configurationPath), options: .atomic)
    }

    private var authorizedNodesPath: String { "\(folder.keys)/authorized_nodes" }
    private var configurationPath: String { "\(folder.path)/run.yaml" }

    /// Starts the coordinator, and returns when nodes can connect.
    func startCoordinator() async throws -> (process: ChildProcess, address: CoordinatorAddress) {
        let command = ChildCommand(
            name: "coordinator",
            executable: executable,
            arguments: [
                "coordinator", "--config", configurationPath, "--run", folder.path,
                "--bind", "tcp://127.0.0.1:0", "--keys", "\(folder.keys)/coordinator.key",
                "--authorized", authorizedNodesPath, "--parent",
                "\(ProcessInfo.processInfo.processIdentifier)",
            ],
            log: "\(folder.logs)/coordinator.log"
        )
        let process = try ChildProcess(starting: command)
        do {
            let address = try await awaited("coordinator that is ready", seconds: Self.patience) {
                guard process.end == nil else {
                    throw ClusterBenchmarkError.processFailed(
                        name: "coordinator",
                        lastLine: process.lastLine
                    )
                }
                return try CoordinatorAddress(path: folder.coordinator)
            }
            return (process, address)
        } catch {
            process.kill()
            throw error
        }
    }

    /// Starts a worker that computes in one lane.
    func startWorker(
        _ name: String,
        verb: String,
        keys: CurveKeyPair,
        model: String,
        coordinator: CoordinatorAddress
    ) throws -> ChildProcess {
        let keyPath = try KeyFile.write(keys, prefix: "\(folder.keys)/\(name)")
        return try ChildProcess(
            starting: ChildCommand(
                name: name,
                executable: executable,
                arguments: [
                    verb, "--coordinator", coordinator.control, "--server-key",
                    "\(folder.keys)/coordinator.pub",
                    "--keys", keyPath, "--name", name, "--run", "\(folder.path)/workers/\(name)",
                    "--lanes", "1", "--model", model,
                    "--parent", "\(ProcessInfo.processInfo.processIdentifier)",
                ],
                log: "\(folder.logs)/\(name).log"
            )
        )
    }

    /// Removes the folder and all in it.
    func remove() { try? FileManager.default.removeItem(atPath: folder.path) }
}

extension ChildProcess {
    /// Asks it to end, and returns when it has; one that does not is killed.
    func stop() async {
        terminate()
        let deadline = ContinuousClock.now + .seconds(15)
        while end == nil, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
        if end == nil { kill() }
        while end == nil { try? await Task.sleep(for: .milliseconds(20)) }
    }
}
