/// The order of fetches from one holder: each begins as soon as the one before has asked for its last piece.
///
/// The last pieces of one are then on their way together with the first of the next, and neither end nor the wire
/// waits in between; but no fetch takes bandwidth from one before. They alternate between two connections, as a
/// conversation is about one thing at a time.
struct FetchLine: Sendable {
    /// Connections to the holder.
    static let connectionCount = 2

    /// Ends when the last fetch has asked for all, or is over.
    private var asked: AsyncStream<Void>?
    /// Ends when the last fetch on each connection is over.
    private var over = [AsyncStream<Void>?](repeating: nil, count: connectionCount)
    private var next = 0

    /// Begins a fetch in its turn.
    ///
    /// - Parameter fetch: is told the connection, from 0, and says when it has asked for all.
    mutating func add<Value: Sendable>(
        _ fetch:
            @escaping @Sendable (_ connection: Int, _ whenAsked: @escaping @Sendable () -> Void) async throws
            -> Value
    ) -> Task<Value, any Error> {
        let connection = next
        next = (next + 1) % Self.connectionCount
        let before = [asked, over[connection]]
        let (asked, hasAsked) = AsyncStream<Void>.makeStream()
        let (over, isOver) = AsyncStream<Void>.makeStream()
        self.asked = asked
        self.over[connection] = over
        return Task {
            defer {
                hasAsked.finish()
                isOver.finish()
            }
            for case let event? in before { for await _ in event {} }
            return try await fetch(connection) { hasAsked.finish() }
        }
    }
}
