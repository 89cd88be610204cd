import ClusterRuntime
import NIOCore

/// One page that is kept up to date by server-sent events, as the HTML standard has them.
///
/// `status` comes with every report; `history` and `events` come where there is something new.
actor EventStream {
    static let contentType = "text/event-stream; charset=utf-8"

    private let observer: RunObserver
    private var reports: AsyncStream<StatusFeed.Report>.AsyncIterator
    private var cursor = RunObserver.Cursor()
    private var isFirst = true

    init(_ reports: AsyncStream<StatusFeed.Report>, observer: RunObserver) {
        self.reports = reports.makeAsyncIterator()
        self.observer = observer
    }

    /// What the page is told next; nil when the coordinator has ended.
    func next() async -> ByteBuffer? {
        // One reader at a time asks, so the iterator may leave the actor while it waits.
        var iterator = reports
        let report = await iterator.next(isolation: self)
        reports = iterator
        guard let report else { return nil }
        let news = observer.news(since: cursor)
        cursor = news.cursor
        var buffer = ByteBuffer()
        if isFirst { buffer.writeString("retry: 1000\n\n") }
        isFirst = false
        Self.write("status", report.json, to: &buffer)
        if let history = news.history { Self.write("history", history, to: &buffer) }
        if let events = news.events { Self.write("events", events, to: &buffer) }
        return buffer
    }

    /// JSON has no line breaks of its own here, so it is one line of data.
    private static func write(_ event: String, _ json: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeString("event: \(event)\ndata: ")
        buffer.writeBytes(json)
        buffer.writeString("\n\n")
    }
}
