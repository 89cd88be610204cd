import ClusterMessages
import Coordination

/// What the coordinator writes into the run's log.
extension ControlDesk {
    /// The epoch of the cluster, which every line tells.
    var epoch: UInt64 { state.membership.epoch }

    func line(_ occurrence: Occurrence) -> JournalLine {
        JournalLine(occurrence, epoch: epoch, time: clock.time)
    }

    func line(_ kind: String, _ node: NodeID, _ batch: BatchID) -> JournalLine {
        var line = JournalLine(kind, epoch: epoch, time: clock.time)
        line.node = node
        line.batch = batch
        return line
    }

    func write(_ kind: String, _ text: String) throws {
        var line = JournalLine(kind, epoch: epoch, time: clock.time)
        line.text = text
        try record.add(line)
    }
}
