import Distillation

/// What a run cost: evaluations of networks, processor time, bytes.
package struct RunCosts: Codable, Sendable, Equatable {
    /// Evaluations of the teacher, both halves of guidance counted; nil where solves differ in length
    /// (`reuse: segment`).
    package var teacherEvaluations: Int?
    /// Samples that trainers put into steps: each is evaluated by the student forwards and backwards.
    package var trainedSamples: Int
    /// Seconds of processor time of all the run's processes on this machine, the closing evaluation included; nil
    /// where nobody could count them.
    package var processorSeconds: Double?
    /// What went through the coordinator's sockets, since its last start.
    package var planes: [Plane]
    /// Bytes of trajectories that trainers were told to fetch from rollouts, since the coordinator's last start.
    package var trajectoryBytes: Int

    /// One of the coordinator's sockets.
    package struct Plane: Codable, Sendable, Equatable {
        package var name: String
        package var receivedBytes: Int
        package var sentBytes: Int
    }

    init(
        status: RunStatus,
        journal: [JournalLine],
        trajectory: TrajectorySettings,
        processorSeconds: Double?
    ) {
        let steps = trajectory.segments * trajectory.stepsPerSegment * (trajectory.onlineAlignment ? 1 : 2)
        // A scale of exactly 1 is no guidance, and one evaluation a step.
        let perStep = trajectory.guidance == 1...1 ? 1 : 2
        teacherEvaluations =
            trajectory.reuse == .trajectory ? status.trajectories.total * steps * perStep : nil
        trainedSamples = journal.reduce(0) { sum, line in
            line.kind == JournalLine.consumed ? sum + (line.samples ?? 0) : sum
        }
        self.processorSeconds = processorSeconds
        planes = status.doors.map { door in
            Plane(name: door.name, receivedBytes: door.byteCount, sentBytes: door.sentByteCount)
        }
        trajectoryBytes = status.figures.assignedByteCount
    }

    /// What was counted, in words.
    var lines: [(what: String, amount: String)] {
        var lines: [(what: String, amount: String)] = []
        if let teacherEvaluations {
            lines.append(("teacher evaluations for trajectories", "\(teacherEvaluations)"))
        }
        lines.append(("student evaluations, forwards and backwards", "\(trainedSamples)"))
        if let processorSeconds {
            lines.append(("core-hours, evaluation included", ReportNumber.hours(processorSeconds)))
        }
        lines.append(("trajectories fetched from rollouts", ReportNumber.bytes(trajectoryBytes)))
        for plane in planes {
            let received = ReportNumber.bytes(plane.receivedBytes)
            lines.append(
                ("coordinator, \(plane.name)", "\(received) in, \(ReportNumber.bytes(plane.sentBytes)) out")
            )
        }
        return lines
    }
}
