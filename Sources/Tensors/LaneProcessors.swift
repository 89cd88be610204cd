import CKernels

/// The processors that a pool's lanes keep to: one each, when there are exactly as many as this process may use.
///
/// Left alone, the system may wake two lanes on one processor and leave another idle for the length of a batch.
/// With fewer lanes than processors nobody is bound, since other processes may have lanes of their own.
struct LaneProcessors: Sendable {
    /// A processor for each lane; empty when lanes are not bound.
    private let numbers: [Int]

    init(laneCount: Int) {
        var allowed = [Int](repeating: 0, count: laneCount)
        let count = unsafe allowed.withUnsafeMutableBufferPointer { buffer in
            unsafe fs_allowed_processors(buffer.baseAddress, buffer.count)
        }
        numbers = laneCount > 1 && count == laneCount ? allowed : []
    }

    /// Binds the calling thread to a lane's processor.
    func bind(lane: Int) { allow(numbers.isEmpty ? [] : [numbers[lane]]) }

    /// Lets the calling thread run on all of them again.
    func release() { allow(numbers) }

    private func allow(_ processors: [Int]) {
        guard !processors.isEmpty else { return }
        unsafe processors.withUnsafeBufferPointer { buffer in
            unsafe fs_allow_processors(buffer.baseAddress, buffer.count)
        }
    }
}
