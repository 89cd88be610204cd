/// What a run cost: evaluations of networks, processor time, bytes.
package struct RunCosts: Codable, Sendable, Equatable {
    /// Evaluations of networks, rollouts and trainers together, both halves of guidance counted; nil of a run in which
    /// none were counted.
    package var evaluations: Evaluations?
    /// Samples that trainers put into steps.
    package var trainedSamples: Int
    /// Seconds of processor time of all the run's processes on this machine, the closing evaluation included; nil
    /// where nobody could count them.
    package var processorSeconds: Double?
    /// What went through the coordinator's sockets, since its last start.
    package var planes: [Plane]
    /// Bytes of trajectories that trainers were told to fetch from rollouts, since the coordinator's last start.
    package var trajectoryBytes: Int

    /// What was counted of a trajectory or a sample since the coordinator's last start, times how many there were.
    package struct Evaluations: Codable, Sendable, Equatable {
        package var teacher: Int
        package var student: Int
        package var critic: Int
    }

    /// One of the coordinator's sockets.
    package struct Plane: Codable, Sendable, Equatable {
        package var name: String
        package var receivedBytes: Int
        package var sentBytes: Int
    }

    init(
        status: RunStatus,
        journal: [JournalLine],
        processorSeconds: Double?
    ) {
        let samples = journal.reduce(0) { sum, line in
            line.kind == JournalLine.consumed ? sum + (line.samples ?? 0) : sum
        }
        trainedSamples = samples
        let means = status.figures.evaluations
        // Workers say how many there were; what is beyond all reason must not end the report.
        func count(_ number: Int, _ mean: Double) -> Int {
            Int(min(max(0, Double(number) * mean), 1e15).rounded())
        }
        evaluations =
            means == RunFigures.Evaluations()
            ? nil
            : Evaluations(
                teacher: count(status.trajectories.total, means.teacherPerTrajectory)
                    + count(samples, means.teacherPerSample),
                student: count(samples, means.studentPerSample),
                critic: count(samples, means.criticPerSample)
            )
        self.processorSeconds = processorSeconds
        planes = status.doors.map { door in
            Plane(name: door.name, receivedBytes: door.byteCount, sentBytes: door.sentByteCount)
        }
        trajectoryBytes = status.figures.fetchedByteCount
    }

    /// What was counted, in words.
    var lines: [(what: String, amount: String)] {
        var lines: [(what: String, amount: String)] = []
        if let evaluations {
            lines.append(("evaluations of the teacher", "\(evaluations.teacher)"))
            lines.append(("evaluations of the student", "\(evaluations.student)"))
            lines.append(("evaluations of the critic", "\(evaluations.critic)"))
        }
        lines.append(("samples trained on", "\(trainedSamples)"))
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
