import Evaluation
import Foundation

/// Trains rows' students as `flowsteer local` does, each in a folder of its own: a process, so that what it counts is
/// its own.
package struct StudyTraining: Sendable {
    /// Between two looks at the process.
    private static let tick: Duration = .milliseconds(200)

    private let configurationPath: String
    /// The person's own, `group.key=value`; rows' stand above them.
    private let overrides: [String]
    /// The program whose verb `local` is.
    private let executable: String

    package init(configurationPath: String, overrides: [String], executable: String) {
        self.configurationPath = configurationPath
        self.overrides = overrides
        self.executable = executable
    }

    /// Runs to the end, or goes on with what an earlier process began; the run's report, which is the last of a run.
    ///
    /// - Throws: ``LocalError`` when the run fails.
    func report(of rowOverrides: [String], seed: UInt64, in folder: LocalRunFolder) async throws -> RunReport
    {
        if let report = try self.report(in: folder) { return report }
        try LocalRunFolder.create(folder.path)
        let settings = overrides + rowOverrides + ["seed=\(seed)"]
        let command = ChildCommand(
            name: "local",
            executable: executable,
            arguments: [
                "local", "--config", configurationPath, "--run", folder.path, "--no-http",
                "--parent", "\(ProcessInfo.processInfo.processIdentifier)",
            ] + settings.flatMap { ["--set", $0] },
            log: "\(folder.path)/local.log"
        )
        let child = try ChildProcess(starting: command)
        do {
            while child.end == nil { try await Task.sleep(for: Self.tick) }
        } catch {
            child.terminate()
            throw error
        }
        guard child.end == .exited(0) else {
            var exit = ProcessExit.internalError
            if case .exited(let code) = child.end { exit = ProcessExit(rawValue: code) ?? exit }
            throw LocalError.processFailed(
                name: folder.path,
                exit: exit,
                log: command.log,
                lastLine: child.lastLine
            )
        }
        guard let report = try self.report(in: folder) else {
            throw StudyError.unreadable(path: folder.reportJSON)
        }
        return report
    }

    /// What a run that is done came to; nil of one that is not.
    private func report(in folder: LocalRunFolder) throws -> RunReport? {
        guard let data = FileManager.default.contents(atPath: folder.reportJSON) else { return nil }
        guard let report = try? ReportCoding.decoder.decode(RunReport.self, from: data) else {
            throw StudyError.unreadable(path: folder.reportJSON)
        }
        return report
    }
}

extension RunReport {
    /// What training of a student took in all, for the table.
    var trainingFigures: [StudyCell.Figure] {
        func figure(_ name: String, _ count: Int) -> StudyCell.Figure {
            StudyCell.Figure(StudyCell.Figure.trainingPrefix + name, Double(count))
        }
        let evaluations = costs.evaluations.map { evaluations in
            [
                figure("evaluations of the teacher", evaluations.teacher),
                figure("of the student", evaluations.student), figure("of the critic", evaluations.critic),
            ]
        }
        return [figure("samples", costs.trainedSamples)] + (evaluations ?? [])
    }

    /// What training took a sample, for the table.
    var costFigures: [StudyCell.Figure] {
        func peak(_ role: String) -> Double {
            Double(processes.filter { $0.role == role }.map(\.peakMemoryBytes).max() ?? 0) / 1_048_576
        }
        let counted: [(String, Double)] = [
            ("teacher, a trajectory", evaluations.teacherPerTrajectory),
            ("student, a sample", evaluations.studentPerSample),
            ("teacher, a sample", evaluations.teacherPerSample),
            ("critic, a sample", evaluations.criticPerSample),
            ("rollout, ms a trajectory", 1000 * wallClock.rollout / Double(max(1, trajectories))),
            ("trainer, ms a sample", 1000 * wallClock.train / Double(max(1, costs.trainedSamples))),
            ("rollout, peak MiB", peak("rollout")),
            ("trainer, peak MiB", peak("trainer")),
        ]
        return counted.map { StudyCell.Figure($0.0, $0.1) }
    }

    /// The same in floating-point operations, for the table.
    func figures(of operations: Study.Operations) -> [StudyCell.Figure] {
        let trajectory = evaluations.teacherPerTrajectory * operations.evaluation
        return [
            StudyCell.Figure("rollout, GFLOP a trajectory", trajectory / 1e9),
            StudyCell.Figure("trainer, GFLOP a sample", operations.sample / 1e9),
        ]
    }
}
