/// What the coordinator writes down for people, beside what it answers: a disk that takes long keeps nobody waiting.
extension CoordinatorService {
    /// Writes the log's new lines and the status every second.
    func report() async throws {
        while true {
            try await writeEvents()
            try await writeStatus()
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Writes `status.json`, if there is room: who asks over the network hears of a full disk as well.
    func writeStatus() async throws {
        let status = try await control.status()
        let json = try status.encoded()
        feed.publish(StatusFeed.Report(status: status, json: json))
        do {
            try await write { [folder] in try folder.write(json, as: RunFolder.statusName) }
        } catch CoordinatorError.diskFull {
            return
        }
    }

    /// Takes the log's new lines to the ledger: there may be thousands.
    ///
    /// One call at a time: the report's, and the last one after it.
    func writeEvents() async throws {
        let lines = await control.unwritten
        do {
            try await write { [ledger] in try ledger.record(lines) }
        } catch CoordinatorError.diskFull {
            return  // They are taken there when there is room.
        }
        await control.wrote(lines.count)
    }

    /// Waits for the disk on no thread on which messages are answered.
    ///
    /// The end of the caller's task does not end the writing, so that nothing is written twice.
    private func write(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await Task { [reportThread] in try await reportThread.run(body) }.value
    }
}
