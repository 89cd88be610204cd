import CKernels

/// An optimizer's two moments in one byte a number (Dettmers and others 2022, arXiv 2110.02861), written in place.
///
/// Blocks of 256 numbers have a scale each, so both moments take 2.03 bytes a parameter. Decoding and encoding again
/// changes nothing.
package struct ByteMoments: Sendable {
    package enum Moment: Sendable {
        case first
        case second

        fileprivate var kernelMoment: fs_moment { self == .first ? FS_FIRST_MOMENT : FS_SECOND_MOMENT }
    }

    /// One moment: a byte a number, four to an element of the tensor, and a scale a block.
    private struct Codes {
        let bytes: Tensor
        let scales: Tensor

        init(count: Int, in memory: StateMemory) throws(FileWritingError) {
            bytes = try memory.zeros([(count + 3) / 4])
            scales = try memory.zeros([ByteMoments.blocks(count)])
        }

        var bytePointer: UnsafeMutablePointer<UInt8> {
            unsafe UnsafeMutableRawPointer(bytes.pointer).assumingMemoryBound(to: UInt8.self)
        }
    }

    package let count: Int
    private let first: Codes
    private let second: Codes

    /// Moments of zero.
    package init(count: Int, in memory: StateMemory = .resident) throws(FileWritingError) {
        self.count = count
        first = try Codes(count: count, in: memory)
        second = try Codes(count: count, in: memory)
    }

    /// Everything that updates write in place.
    package var memory: [Tensor] { [first, second].flatMap { [$0.bytes, $0.scales] } }

    /// Bytes of both moments of so many parameters.
    package static func byteCount(of count: Int) -> Int {
        2 * MemoryLayout<Float>.stride * ((count + 3) / 4 + blocks(count))
    }

    /// A moment as 32-bit floats, `[count]`, in memory of its own.
    package func decoded(_ moment: Moment) -> Tensor {
        let values = Tensor.zeros([count])
        let codes = moment == .first ? first : second
        unsafe fs_moment_from_bytes(
            Self.tables.base,
            moment.kernelMoment,
            codes.bytePointer,
            codes.scales.pointer,
            values.pointer,
            count
        )
        return values
    }

    /// Takes over a moment, `[count]`, rounded.
    package func encode(_ values: Tensor, as moment: Moment) {
        precondition(values.count == count, "moments of \(count) parameters from \(values.count)")
        let codes = moment == .first ? first : second
        unsafe fs_moment_to_bytes(
            Self.tables.base,
            moment.kernelMoment,
            values.pointer,
            codes.bytePointer,
            codes.scales.pointer,
            count
        )
    }

    /// Whole blocks one after another, as kernels take them.
    @unsafe
    struct Run {
        let tables: UnsafePointer<Float>
        /// The first parameter, and how many.
        let first: Int
        let count: Int
        let firstBytes: UnsafeMutablePointer<UInt8>
        let firstScales: UnsafeMutablePointer<Float>
        let secondBytes: UnsafeMutablePointer<UInt8>
        let secondScales: UnsafeMutablePointer<Float>
    }

    /// Calls `body` with all blocks, each lane of `pool` with a share of them.
    func forEachRun(pool: LanePool?, _ body: (Run) -> Void) {
        func run(_ blocks: Range<Int>) {
            let start = blocks.lowerBound * Self.blockCount
            unsafe body(
                Run(
                    tables: UnsafePointer(Self.tables.base),
                    first: start,
                    count: min(blocks.upperBound * Self.blockCount, count) - start,
                    firstBytes: first.bytePointer + start,
                    firstScales: first.scales.pointer + blocks.lowerBound,
                    secondBytes: second.bytePointer + start,
                    secondScales: second.scales.pointer + blocks.lowerBound
                )
            )
        }
        guard let pool else { return run(0..<Self.blocks(count)) }
        pool.forEachShare(of: Self.blocks(count)) { _, blocks in run(blocks) }
    }

    private static func blocks(_ count: Int) -> Int { (count + blockCount - 1) / blockCount }
    private static let blockCount = Int(FS_MOMENT_BLOCK)

    private static let tables: Storage = {
        let tables = Storage(zeroed: fs_moment_codes_size())
        unsafe fs_fill_moment_codes(tables.base)
        return tables
    }()
}
