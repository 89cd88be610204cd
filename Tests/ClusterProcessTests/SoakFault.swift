import Foundation

/// What can happen to a process or a wire of a soak.
enum SoakFault: String, CaseIterable {
    case kill
    case shortPause = "short pause"
    case longPause = "long pause"
    case cut
    case shortSilence = "short silence"
    case longSilence = "long silence"
    case oneWaySilence = "one-way silence"
    case corruption, slowness

    /// Whether it happens to a process rather than to a wire.
    var isOfProcess: Bool { [.kill, .shortPause, .longPause].contains(self) }

    /// A fault that took effect, from then to the next piece of work.
    struct Injection {
        /// From 1.
        let number: Int
        let fault: SoakFault
        let victim: String
        /// Seconds since 1970, when it began.
        let begin: Double
        /// How it showed.
        let effect: String
        /// When it was put right.
        let end: Double
        /// When work went on, as far as is known.
        private(set) var resumption: Double?
        /// Events before this one have been looked at.
        private var place: Int
        /// Whether the victim's process has begun since.
        private var isBack: Bool
        /// The victim's number; the coordinator has none.
        private var node: Int?

        init(
            _ number: Int,
            _ fault: SoakFault,
            of victim: String,
            begin: Double,
            effect: String,
            place: Int,
            node: Int?
        ) {
            self.number = number
            self.fault = fault
            self.victim = victim
            self.begin = begin
            self.effect = effect
            self.place = place
            self.node = node
            end = Date().timeIntervalSince1970
            isBack = fault != .kill
        }

        /// Seconds from its beginning until work went on.
        var seconds: Double? { resumption.map { $0 - begin } }

        /// Looks for the first lease or step of the victim's since it was put right, and since its new process began
        /// where it was killed.
        ///
        /// Of a coordinator's it is the first lease: steps from before are told to it again.
        mutating func look(at log: [EventLog.Event]) {
            let isCoordinator = victim == Cluster.coordinator
            while resumption == nil, place < log.count {
                let event = log[place]
                place += 1
                if event.kind == "started" {
                    isBack = isBack || isCoordinator
                } else if event.kind == "joined", event.text == victim {
                    node = event.node
                    isBack = isBack || event.time >= begin
                } else if isBack, event.time >= end,
                    event.kind == "leased" && (isCoordinator || event.node == node)
                        || event.kind == "consumed" && event.node == node
                {
                    resumption = event.time
                }
            }
        }

        /// A line for a person.
        var line: String {
            let clock = Date(timeIntervalSince1970: begin).formatted(
                .iso8601.time(includingFractionalSeconds: true)
            )
            let news = seconds.map { String(format: "work went on after %.2f s", $0) } ?? "no work yet"
            return "\(number)  \(clock)  \(fault.rawValue) of \(victim): \(effect); \(news)"
        }
    }
}
