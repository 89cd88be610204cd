import ClusterMessages
import DiffusionModels
import Distillation
import FlowMatching
import Tensors

/// The encoded states of one batch, as they are held and sent: little-endian 32-bit floats without a header,
/// `[times, samples, channels, height, width]`.
struct SolvedTrajectories: HeldBytes {
    let hash: ContentHash
    let byteCount: Int
    /// Evaluations of the teacher they took.
    let evaluationCount: Int
    /// The bytes, cut as they are asked for: what is sent and held is one and the same memory.
    private let pieces: [[UInt8]]

    init(hash: ContentHash, bytes: [UInt8], evaluationCount: Int) {
        self.hash = hash
        byteCount = bytes.count
        self.evaluationCount = evaluationCount
        pieces = stride(from: 0, to: bytes.count, by: ChunkTransfer.pieceByteCount).map { start in
            Array(bytes[start..<min(bytes.count, start + ChunkTransfer.pieceByteCount)])
        }
    }

    /// The bytes from a position on: up to the end of the piece it is in, or of `range`.
    func piece(in range: Range<Int>) -> [UInt8] {
        let (index, start) = range.lowerBound.quotientAndRemainder(dividingBy: ChunkTransfer.pieceByteCount)
        let piece = pieces[index]
        let end = min(piece.count, start + range.count)
        return start == 0 && end == piece.count ? piece : Array(piece[start..<end])
    }
}

/// Solves leases with the run's teacher; used by one thread at a time.
struct TrajectorySolver: Sendable {
    private let configuration: RunConfiguration
    private let model: ModelFolder
    private let teacher: VelocityTransformer
    private let alignment: OnlineTrajectoryAlignment
    private let unconditional: EncodedText
    private let pool: LanePool

    init(_ model: ModelFolder, configuration: RunConfiguration, lanes: Int) throws {
        self.configuration = configuration
        self.model = model
        teacher = try model.makeTransformer(precision: configuration.trajectory.precision)
        pool = LanePool(count: lanes)
        alignment = OnlineTrajectoryAlignment(
            configuration.trajectory,
            segmentProbabilities: configuration.training.segmentProbabilities,
            shift: model.shift,
            seed: configuration.seed
        )
        let negative = configuration.trajectory.negativePrompt
        unconditional = try model.text.encode([negative], on: pool.lanes[0].tape)
    }

    /// Solves one lease; the texts are encoded once.
    func solve(_ lease: Message.Lease) throws(NodeError) -> SolvedTrajectories {
        guard lease.seed == configuration.seed, !lease.prompts.isEmpty else {
            let text = "seed \(lease.seed) and \(lease.prompts.count) prompts, of seed \(configuration.seed)"
            throw .notServed(peer: "this node", subject: "batch \(lease.batch)", .runMismatch, text)
        }
        let samples = lease.prompts.map { PromptSample(promptID: $0.id, sample: $0.sample, text: $0.text) }
        let conditional: EncodedText
        do {
            conditional = try model.text.encode(samples.map(\.text), on: pool.lanes[0].tape)
        } catch {
            throw .local("\(error)")
        }
        let batch = alignment.rollOut(
            samples,
            conditional: conditional,
            unconditional: unconditional,
            teacher: teacher,
            latentShape: Array(model.latentShape(count: 1).dropFirst()),
            pool: pool
        )
        guard batch.states.isFinite else {
            let text = "the teacher's states are not finite"
            throw .notServed(peer: "this node", subject: "batch \(lease.batch)", .nonFinite, text)
        }
        let guidance = Guidance(
            scales: samples.map {
                $0.guidance(in: configuration.trajectory.guidance, seed: configuration.seed)
            }
        )
        let bytes = batch.states.encoded()
        return SolvedTrajectories(
            hash: HashList.hash(of: bytes),
            bytes: bytes,
            evaluationCount: samples.count * alignment.evaluations(for: samples, guidance: guidance)
        )
    }
}
