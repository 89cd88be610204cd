import Glibc

/// A thread's own workspace: its number among the lanes and the tapes it computes on.
package final class Lane: @unchecked Sendable {
    package let index: Int
    package let tape = Tape()
    /// For what is computed without gradients while ``tape`` records.
    package let inference = Tape()

    init(index: Int) { self.index = index }
}

/// Threads that split a batch between them, each with its own tape and arena.
///
/// Lanes are plain threads, never Swift's cooperative pool: a long product there would keep heartbeats from
/// running. The caller's thread works as the first lane, so one lane starts no thread at all. A pool serves
/// one caller at a time. A lane that is done with its own work helps inside the operations of the others.
package final class LanePool: @unchecked Sendable {
    package let lanes: [Lane]
    private let board: LaneBoard
    private var threads: [pthread_t] = []

    /// - Parameter count: lanes; more than cores only cost memory.
    package init(count: Int) {
        precondition(count >= 1, "a pool needs at least one lane, got \(count)")
        setProductThreadCount(1)
        lanes = (0..<count).map(Lane.init(index:))
        board = LaneBoard(laneCount: count)
        guard count > 1 else { return }
        for lane in lanes {
            lane.tape.helpers = board
            lane.inference.helpers = board
            guard lane.index > 0 else { continue }
            let start = unsafe Unmanaged.passRetained(LaneStart(lane: lane, board: board)).toOpaque()
            var thread = pthread_t()
            let result = unsafe pthread_create(&thread, nil, runLane, start)
            precondition(result == 0, "the system starts a thread for a lane, error \(result)")
            threads.append(thread)
        }
    }

    deinit {
        board.stop()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Splits `0 ..< count` into one contiguous share a lane and runs `body` on all lanes at once.
    ///
    /// Shares differ by at most one and depend only on `count` and the number of lanes. With fewer than one a
    /// lane, the first lane takes all and the others only help. Returns when all are done.
    package func forEachShare(of count: Int, _ body: (Lane, Range<Int>) -> Void) {
        guard count > 0 else { return }
        guard lanes.count > 1 else { return body(lanes[0], 0..<count) }
        board.run(on: lanes[0]) { [lanes] lane in
            if count >= lanes.count {
                let first = lane.index * count / lanes.count
                body(lane, first..<(lane.index + 1) * count / lanes.count)
            } else if lane.index == 0 {
                body(lane, 0..<count)
            }
        }
    }

    /// Like ``forEachShare(of:_:)``, with each lane's share in even pieces of at most `size`, one after another.
    package func forEachShare(of count: Int, inPiecesOf size: Int, _ body: (Lane, Range<Int>) -> Void) {
        precondition(size >= 1, "a piece holds at least one, got \(size)")
        forEachShare(of: count) { lane, share in
            let pieces = (share.count + size - 1) / size
            for piece in 0..<pieces {
                let start = share.lowerBound + piece * share.count / pieces
                body(lane, start..<share.lowerBound + (piece + 1) * share.count / pieces)
            }
        }
    }
}

private final class LaneStart: Sendable {
    let lane: Lane
    let board: LaneBoard

    init(lane: Lane, board: LaneBoard) {
        self.lane = lane
        self.board = board
    }
}

private func runLane(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<LaneStart>.fromOpaque(argument).takeRetainedValue()
    start.board.serve(start.lane)
    return nil
}
