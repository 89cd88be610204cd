import ClusterMessages
import Foundation
import Glibc

/// How far a run is, in one line.
package struct ProgressLine: Sendable, Equatable {
    package let text: String
    /// Changes with what is worth a line of its own in a log.
    package let round: UInt64

    package init(_ status: RunStatus) {
        round = status.round.rawValue
        let losses = status.losses.sorted { $0.key < $1.key }
            .map { "\($0.key) \(String(format: "%.4f", $0.value))" }
        let rate = String(format: "%.1f", status.trajectories.perSecond)
        let parts =
            ["round \(round)/\(status.rounds)"] + losses
            + ["\(status.trajectories.total) trajectories, \(rate)/s", Self.left(status.secondsLeft)]
        text = parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }

    /// A teacher's training, after `step` of its updates.
    ///
    /// - Parameters:
    ///   - loss: mean over the last updates.
    ///   - rate: pictures a second.
    init(step: Int, of steps: Int, loss: Double, rate: Double, secondsLeft: Double?) {
        round = UInt64(step)
        let parts = [
            "step \(step)/\(steps)", "loss \(String(format: "%.4f", loss))",
            "\(String(format: "%.1f", rate)) pictures/s", Self.left(secondsLeft),
        ]
        text = parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }

    /// A time span for people: "3 min 20 s left"; empty where none is known.
    static func left(_ seconds: Double?) -> String {
        guard let seconds, (0..<1e12).contains(seconds) else { return "" }
        let whole = Int(seconds.rounded())
        let (hours, minutes) = (whole / 3600, whole % 3600 / 60)
        if hours > 0 { return "\(hours) h \(minutes) min left" }
        return minutes > 0 ? "\(minutes) min \(whole % 60) s left" : "\(whole) s left"
    }
}

/// Where progress is shown: one line that changes on a terminal, else a line now and then.
package struct ProgressDisplay: Sendable {
    /// Seconds between lines that go to a file.
    private static let pause: Duration = .seconds(10)

    private let isTerminal: Bool
    private var shown: ProgressLine?
    private var shownAt: ContinuousClock.Instant?

    package init() { isTerminal = isatty(STDOUT_FILENO) == 1 }

    /// Shows progress, if it is news; the last one whenever it comes.
    package mutating func show(_ line: ProgressLine, isLast: Bool = false) {
        guard line != shown else { return }
        if isTerminal {
            Self.write("\r\(line.text)\u{1B}[K")
        } else {
            let now = ContinuousClock.now
            if !isLast, let shownAt, shownAt.duration(to: now) < Self.pause { return }
            shownAt = now
            Self.write(line.text + "\n")
        }
        shown = line
    }

    /// Shows a sentence that stays, above the progress.
    package mutating func say(_ text: String) {
        Self.write(isTerminal ? "\r\(text)\u{1B}[K\n" : text + "\n")
        shown = nil
    }

    /// Leaves the line of progress as it is.
    package mutating func finish() {
        if isTerminal, shown != nil { Self.write("\n") }
        shown = nil
    }

    private static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
