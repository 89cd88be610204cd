import ClusterMessages
import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime
@testable import ClusterWeb

struct RunHistoryTests {
    private func line(_ kind: String, round: UInt64? = nil, at time: Double) -> JournalLine {
        var line = JournalLine(kind, epoch: 1, time: time)
        line.round = round.map { RoundNumber($0) }
        return line
    }

    @Test func `a curve that is full halves, and keeps its mean`() {
        var series = DecimatedSeries(capacity: 8)
        for index in 0..<1000 {
            series.add(.init(x: Double(index), values: ["a": Double(index), "b": .nan]))
        }
        #expect(series.points.count <= 8)
        #expect(series.stride == 128)
        let first = series.points[0]
        #expect(first.x == 63.5)
        #expect(first.values == ["a": 63.5])
        #expect(
            series.points.last?.x == 947.5,
            "the unfinished point is the mean of what it has: 896 ... 999"
        )
    }

    @Test func `columns have a place for what was not measured`() {
        var series = DecimatedSeries(capacity: 8)
        series.add(.init(x: 1, values: ["a": 0.123456789]))
        series.add(.init(x: 2.04, values: ["a": -1234567.0, "b": 0]))
        let columns = SeriesColumns(series)
        #expect(columns.x == [1, 2])
        #expect(columns.values == ["a": [0.12346, -1_234_600], "b": [nil, 0]])
    }

    @Test func `a round's moments and losses are read from the log, and batches pass unseen`() {
        var history = RunHistory()
        history.note(line("roundOpened", round: 1, at: 10))
        for kind in ["leased", "assigned", "consumed"] { history.note(line(kind, at: 11)) }
        history.note(line("offered", round: 1, at: 12))
        history.note(line("offered", round: 1, at: 13))
        history.note(line("roundCommitted", round: 1, at: 14))
        var losses = line("losses", round: 1, at: 14)
        losses.losses = ["distillation": 0.5]
        history.note(losses)
        #expect(history.rounds == [.init(round: RoundNumber(1), opened: 10, offered: 12, committed: 14)])
        #expect(history.losses.points == [.init(x: 14, values: ["distillation": 0.5])])
        #expect(history.events.map(\.kind) == ["roundOpened", "roundCommitted"])
        #expect(history.events.map(\.number) == [1, 2])
    }

    @Test func `throughput is what was made between two reports, five seconds apart`() {
        var history = RunHistory()
        var status = RunStatus(runID: "run", rounds: 3)
        for second in 0...10 {
            status.elapsed = Double(second)
            status.time = 1000 + Double(second)
            status.trajectories.total = 8 * second
            history.note(status)
        }
        #expect(history.throughput.points.map(\.x) == [1005, 1010])
        #expect(history.throughput.points.map { $0.values["solved"] } == [8, 8])
    }

    @Test func `eight hours of a busy run take no more memory than one`() throws {
        var history = RunHistory()
        var status = RunStatus(runID: "run", rounds: 10_000)
        var sizes: [Int] = []
        for second in stride(from: 0, to: 8 * 3600, by: 5) {
            status.elapsed = Double(second)
            status.time = 1e9 + Double(second)
            status.trajectories.total += 100
            for term in ["distillation", "adversarial", "feature_matching", "discriminator"] {
                status.losses[term] = 1 / Double(second + 1)
            }
            history.note(status)
            var event = line("joined", at: status.time)
            event.text = String(repeating: "x", count: 5000)
            history.note(event)
            if second.isMultiple(of: 10) {
                history.note(line("roundOpened", round: UInt64(second / 10), at: status.time))
                var losses = line("losses", round: UInt64(second / 10), at: status.time)
                losses.losses = status.losses
                history.note(losses)
            }
            if (second + 5).isMultiple(of: 3600) {
                let columns = [history.losses, history.steps, history.throughput].map { SeriesColumns($0) }
                sizes.append(
                    try JSONEncoder().encode(columns).count + JSONEncoder().encode(history.events).count
                )
            }
        }
        #expect(history.events.count == 200)
        #expect(history.rounds.count == 60)
        let (largest, last) = (try #require(sizes.max()), try #require(sizes.last))
        #expect(largest < 256 << 10)
        #expect(last < 2 * sizes[0])
    }

    @Test func `the log is read as it grows, and a torn line is passed over`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tail-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "events.jsonl").path()
        var tail = JournalTail(path: path, skipping: ["leased"])
        #expect(tail.next() == nil, "there is no file yet")
        var journal = try Journal(path: path)
        try journal.append(line("joined", at: 1))
        try journal.append(line("leased", at: 2))
        #expect(tail.next()?.map(\.kind) == ["joined"])
        #expect(tail.next() == nil)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data("{\"kind\":\"di".utf8))
        #expect(tail.next()?.isEmpty == true, "half a line says nothing yet")
        // A coordinator that comes after ends the line.
        journal = try Journal(path: path)
        try journal.append(line("left", at: 3))
        #expect(tail.next()?.map(\.kind) == ["left"])
    }
}
