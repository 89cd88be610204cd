import ClusterRuntime
import Foundation
import Synchronization

/// Follows a run for its page: the coordinator's reports, the log's lines, and what lies in the folder.
final class RunObserver: Sendable {
    /// What a page has been told.
    struct Cursor: Sendable, Equatable {
        /// The last event's number.
        var event = 0
        /// The version of the history; -1 before any.
        var version = -1
    }

    /// What a page is told next.
    struct News: Sendable {
        /// Losses, rounds, throughput and files as JSON, where they changed.
        let history: [UInt8]?
        /// Events as JSON, where there are new ones.
        let events: [UInt8]?
        let cursor: Cursor
    }

    /// The history's JSON.
    private struct Page: Encodable {
        let losses: SeriesColumns
        let steps: SeriesColumns
        let throughput: SeriesColumns
        let rounds: [RunHistory.Round]
        let checkpoints: [RunArchive.Checkpoint]
        let sheetTime: Double?
    }

    private struct Book {
        var history = RunHistory()
        var listing = RunArchive.Listing()
        var listings = 0
        /// The history as JSON, once for everybody, and of which version.
        var page: (version: Int, json: [UInt8])?
    }

    /// Reports between two looks into the folder.
    private static let lookPeriod = 5

    let archive: RunArchive
    /// Reads files, so that no disk holds up the tasks of the coordinator.
    let files = ComputeThread(name: "web-files")
    private let feed: StatusFeed
    private let book = Mutex(Book())

    init(feed: StatusFeed, folder: LocalRunFolder) {
        self.feed = feed
        archive = RunArchive(folder: folder)
    }

    /// Follows until the coordinator ends.
    func run() async throws {
        var tail = JournalTail(path: archive.folder.events, skipping: RunHistory.routine)
        var count = 0
        for await report in feed.reports() {
            while true {
                let start = tail
                let (lines, next) = try await files.run {
                    var tail = start
                    return (tail.next(), tail)
                }
                tail = next
                guard let lines else { break }
                book.withLock { book in for line in lines { book.history.note(line) } }
            }
            if count.isMultiple(of: Self.lookPeriod) {
                let listing = try await files.run { [archive] in archive.list() }
                book.withLock { book in
                    guard book.listing != listing else { return }
                    book.listing = listing
                    book.listings += 1
                }
            }
            book.withLock { $0.history.note(report.status) }
            count += 1
        }
    }

    /// What happened since a page was last told.
    func news(since cursor: Cursor) -> News {
        book.withLock { book in
            let version = book.history.version + book.listings
            let events = book.history.events.filter { $0.number > cursor.event }
            if version != cursor.version, book.page?.version != version {
                let page = Page(
                    losses: SeriesColumns(book.history.losses),
                    steps: SeriesColumns(book.history.steps),
                    throughput: SeriesColumns(book.history.throughput),
                    rounds: book.history.rounds,
                    checkpoints: book.listing.checkpoints,
                    sheetTime: book.listing.sheetTime
                )
                book.page = (version, Self.json(page))
            }
            return News(
                history: version == cursor.version ? nil : book.page?.json,
                events: events.isEmpty ? nil : Self.json(events),
                cursor: Cursor(event: events.last?.number ?? cursor.event, version: version)
            )
        }
    }

    /// Numbers are finite and texts are texts, so nothing here cannot be written.
    private static func json(_ value: some Encodable) -> [UInt8] {
        (try? JSONEncoder().encode(value)).map(Array.init) ?? []
    }
}
