/// What a wire does to the bytes on it.
package struct Weather: Sendable, Equatable {
    /// Which way bytes go.
    package enum Way: Sendable, CaseIterable {
        /// From who connected.
        case forth
        case back
    }

    /// How much later than they came bytes go on.
    package var delay: Duration = .zero
    /// The most that goes on in a second, each way; nil for no bound.
    package var bytesPerSecond: Int?
    /// The ways on which nothing goes on, and from which nothing is taken: connections stay open all the same.
    package var silent: Set<Way> = []
    /// In every so many bytes, one is changed; nil for none.
    package var corruptionInterval: Int?

    /// Bytes go on as they come.
    package static let fair = Weather()

    package init(
        delay: Duration = .zero,
        bytesPerSecond: Int? = nil,
        silent: Set<Way> = [],
        corruptionInterval: Int? = nil
    ) {
        self.delay = delay
        self.bytesPerSecond = bytesPerSecond
        self.silent = silent
        self.corruptionInterval = corruptionInterval
    }
}
