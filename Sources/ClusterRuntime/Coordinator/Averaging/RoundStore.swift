import Checkpoints
import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import Foundation
import NeuralNetwork
import Tensors

/// Turns closed rounds into committed ones: averages, writes the files, then the ledger's transaction.
///
/// It blocks for as long as that takes, and writes into its networks, so one thread at a time uses it.
struct RoundStore: Sendable {
    private static let studentName = "student.safetensors"
    private static let discriminatorName = "discriminator.safetensors"
    private static let countsName = "update_counts.safetensors"
    private static let momentsName = "moments.safetensors"
    private static let velocityName = "outer_velocity.safetensors"
    private static let student = StateSegment.student.rawValue
    private static let retention = RetentionPolicy(keepingLast: 3, every: 10)

    let identity: RunIdentity
    let averaging: AveragingSettings
    let networks: TrainableNetworks
    let teacher: Weights
    /// How the student is sampled.
    let sampling: StudentSampling
    let checkpoints: CheckpointStore
    let ledger: Ledger

    /// The store of the run that the options describe; makes its initial parameters.
    init(_ options: CoordinatorOptions, teacher: ModelFolder, ledger: Ledger, folder: RunFolder) throws {
        let configuration = options.configuration
        // Nothing is computed with the networks here, and of this precision the teacher's maps are read when they are.
        var network = configuration.network
        network.precision = .bfloat16
        let networks = try TrainableNetworks(
            teacher: teacher,
            network: network,
            seed: configuration.seed
        )
        identity = RunIdentity(
            yaml: configuration.yaml,
            teacher: ContentHash(try teacher.contentDigest()),
            initialParameters: ParameterBytes(networks, configuration.averaging).hash
        )
        averaging = configuration.averaging
        sampling = configuration.sampling
        self.networks = networks
        self.teacher = teacher.weights
        self.ledger = ledger
        checkpoints = try CheckpointStore(folder: folder.file("checkpoints"))
    }

    // MARK: Committing

    /// Makes the state that a plan's mean leads to, and makes it durable.
    func commit(
        _ plan: RoundPlan,
        from source: RoundAverage.Source,
        after last: CommittedRound
    ) throws -> CommittedRound {
        var watch = Stopwatch()
        let average = RoundAverage(plan: plan, source: source, averaging: averaging)
        let (parameters, velocity) = try average.state(after: last)
        var times = CommitTimes()
        times.average = watch.lap()
        // An earlier try may have got as far as the files and failed to enter them in the ledger.
        if try checkpoints.rounds().contains(plan.round.rawValue) {
            try checkpoints.remove(round: plan.round.rawValue)
        }
        let origin = CheckpointOrigin(
            runID: identity.runID,
            round: plan.round.rawValue,
            parameterHash: ContentDigest(parameters.hash),
            teacherHash: ContentDigest(identity.teacher),
            configurationHash: ContentDigest(identity.configuration),
            parentManifestHash: last.checkpoint?.manifestHash,
            build: "flowsteer",
            ledgerCursor: plan.issued,
            roles: parameters.segments.map(\.name)
        )
        reached(.coordinatorBeforeFiles)
        let checkpoint = try checkpoints.publish(origin, files: files(parameters, velocity))
        reached(.coordinatorAfterFiles)
        times.files = watch.lap()
        var committed = CommittedRound(
            round: plan.round,
            parameters: parameters,
            velocity: velocity,
            checkpoint: checkpoint
        )
        try ledger.commit(
            plan,
            parameters: parameters.hash,
            manifest: ContentHash(checkpoint.manifestHash),
            at: Date().timeIntervalSince1970
        )
        times.ledger = watch.lap()
        committed.times = times
        reached(.coordinatorAfterCommit)
        return committed
    }

    /// Removes checkpoints that need not stay; returns those that do, ascending.
    func prune() throws -> [StoredCheckpoint] {
        _ = try checkpoints.prune(Self.retention)
        return try checkpoints.rounds().map { try checkpoints.checkpoint(ofRound: $0) }
    }

    private func files(
        _ parameters: ParameterBytes,
        _ velocity: Tensor?
    ) -> [(name: String, content: CheckpointContent)] {
        // The moments stand apart: between two averages their file stays, and whoever fetched it has it.
        let average =
            averaging.keepsStudentAverage
            ? ParameterSet(id: 0, layout: networks.student.parameters.layout) : nil
        var (counts, moments) = (SafetensorsWriter(), SafetensorsWriter())
        for segment in parameters.segments {
            if segment.name == StateSegment.studentAverage.rawValue {
                average?.values.copy(from: segment.values)
            } else if let target = networks.segments.first(where: { $0.name == segment.name }) {
                target.parameters.values.copy(from: segment.values)
            } else if StateSegment(rawValue: segment.name)?.isOfMoments ?? false {
                moments.add(segment.name, segment.values)
            } else {
                counts.add(segment.name, segment.values)
            }
        }
        var files: [(name: String, content: CheckpointContent)] = [
            (Self.studentName, .tensors(networks.student.writer(metadata: sampling.metadata)))
        ]
        if averaging.hasCritic {
            let critic = Dictionary(
                uniqueKeysWithValues: networks.critic.parameters.tensors.map { ($0.name, $0.tensor) }
            )
            files.append((Self.discriminatorName, .tensors(SafetensorsWriter(critic))))
        }
        files.append((Self.countsName, .tensors(counts)))
        if let average {
            let writer = networks.student.with(average).writer(metadata: sampling.metadata)
            files.append((StudentFile.averageName, .tensors(writer)))
        }
        if averaging.momentsPeriod > 0 { files.append((Self.momentsName, .tensors(moments))) }
        if let velocity {
            files.append((Self.velocityName, .tensors(SafetensorsWriter([Self.student: velocity]))))
        }
        return files
    }

    // MARK: Going on

    /// What the ledger's last round left, checked to the byte; the initial parameters where there is none.
    ///
    /// Sweeps away what a killed process left half written, and checkpoints the ledger never heard of.
    func restore() throws -> CommittedRound {
        _ = try checkpoints.sweepAbandoned()
        let row = try ledger.lastRound()
        let last = row?.version.round ?? .initial
        for round in try checkpoints.rounds() where round > last.rawValue {
            try checkpoints.remove(round: round)
        }
        guard let row else {
            return CommittedRound(round: .initial, parameters: ParameterBytes(networks, averaging))
        }
        func lost(_ reason: String) throws -> CoordinatorError {
            let whole = try ledger.newestWhole(in: checkpoints, before: last)
            return .lostCheckpoint(folder: checkpoints.folder, round: last, reason: reason, whole: whole)
        }
        let checkpoint: StoredCheckpoint
        do { checkpoint = try checkpoints.verify(round: last.rawValue) } catch { throw try lost("\(error)") }
        guard ContentHash(checkpoint.manifestHash) == row.manifest else {
            throw try lost("its manifest is not \(row.manifest)")
        }
        let parameters = try load(checkpoint)
        guard parameters.hash == row.version.hash else {
            throw try lost("its parameters are not \(row.version.hash)")
        }
        return CommittedRound(
            round: last,
            parameters: parameters,
            velocity: try velocity(in: checkpoint),
            checkpoint: checkpoint
        )
    }

    private func load(_ checkpoint: StoredCheckpoint) throws -> ParameterBytes {
        networks.student.parameters.values.copy(from: try student(in: Self.studentName, of: checkpoint))
        if averaging.hasCritic {
            let critic = try checkpoint.tensors(in: Self.discriminatorName)
            for (name, tensor) in networks.critic.parameters.tensors {
                tensor.copy(from: try critic.tensor(named: name, shape: tensor.shape))
            }
        }
        let counts = try checkpoint.tensors(in: Self.countsName)
        let moments = averaging.momentsPeriod > 0 ? try checkpoint.tensors(in: Self.momentsName) : counts
        return ParameterBytes(
            try averaging.segments.map { segment in
                let name = segment.rawValue
                // Of the right shape; those of the networks are right as well.
                var values = segment.initialValues(of: networks)
                if segment == .studentAverage {
                    values = try student(in: StudentFile.averageName, of: checkpoint)
                } else if !networks.segments.contains(where: { $0.name == name }) {
                    let file = segment.isOfMoments ? moments : counts
                    values = try file.tensor(named: name, shape: values.shape).copied()
                }
                return ParameterBytes.Segment(name: name, values: values)
            }
        )
    }

    /// The numbers of a student's file, laid out as the run's student is.
    private func student(in name: String, of checkpoint: StoredCheckpoint) throws -> Tensor {
        let stored = try Student(
            path: checkpoint.path(of: name),
            of: teacher,
            layerCount: networks.studentTransformer.configuration.layerCount
        )
        let parameters = networks.student.parameters
        guard stored.parameters.layout == parameters.layout else {
            throw CoordinatorError.badParameters(
                round: RoundNumber(checkpoint.round),
                reason: "\(name) has other parameters than the run's student"
            )
        }
        return stored.parameters.values
    }

    private func velocity(in checkpoint: StoredCheckpoint) throws -> Tensor? {
        guard averaging.student == .nesterov else { return nil }
        let count = networks.student.parameters.layout.count
        return try checkpoint.tensors(in: Self.velocityName).tensor(named: Self.student, shape: [count])
    }
}
