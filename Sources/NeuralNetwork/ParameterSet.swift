package import Tensors

/// Names and shapes of a set of parameters, and where each lies in the set's flat memory.
package struct ParameterLayout: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package let name: String
        package let shape: [Int]
        /// First element in the flat memory.
        package let offset: Int
        package var count: Int { shape.reduce(1, *) }
    }

    package let entries: [Entry]
    /// Elements of all parameters together.
    package let count: Int
    private let index: [String: Int]

    /// Lays parameters out one after another in the given order; names are unique.
    package init(_ parameters: [(name: String, shape: [Int])]) {
        var offset = 0
        entries = parameters.map { name, shape in
            defer { offset += shape.reduce(1, *) }
            return Entry(name: name, shape: shape, offset: offset)
        }
        count = offset
        index = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
    }

    package subscript(name: String) -> Entry? { index[name].map { entries[$0] } }
}

/// Parameters trained together: one flat block of memory with names, so that an optimizer, an average and a
/// checkpoint each treat them as a whole.
package struct ParameterSet: Sendable {
    /// Tells the sets of one process apart.
    package let id: Int
    package let layout: ParameterLayout
    /// `[layout.count]`; optimizers write it in place.
    package let values: Tensor

    /// A set of zeros.
    package init(id: Int, layout: ParameterLayout) {
        self.id = id
        self.layout = layout
        values = .zeros([layout.count])
    }

    /// The parameter of a name, or nil if the set has none.
    package func parameter(named name: String) -> Parameter? {
        layout[name].map { Parameter(view(of: $0), at: ParameterPlace(set: id, offset: $0.offset)) }
    }

    /// Every parameter by name, in layout order, as views.
    package var tensors: [(name: String, tensor: Tensor)] {
        layout.entries.map { ($0.name, view(of: $0)) }
    }

    /// Gradients for this set, zeroed.
    package func makeGradients() -> ParameterGradients { ParameterGradients(set: id, count: layout.count) }

    private func view(of entry: ParameterLayout.Entry) -> Tensor {
        values.rows(entry.offset..<entry.offset + entry.count).reshaped(entry.shape)
    }
}

extension ParameterGradients {
    /// Adds the other lanes' gradients to the first's in lane order, each lane of `pool` a share of the elements.
    package static func sum(_ lanes: [ParameterGradients], pool: LanePool) -> ParameterGradients {
        pool.forEachShare(of: lanes[0].flat.count) { _, range in
            let sum = lanes[0].flat.rows(range)
            for lane in lanes.dropFirst() { sum.accumulate(lane.flat.rows(range)) }
        }
        return lanes[0]
    }

    /// Zeroes the lanes' gradients, each lane its own.
    package static func clear(_ lanes: [ParameterGradients], pool: LanePool) {
        pool.forEachShare(of: lanes.count) { _, range in
            for gradients in lanes[range] { gradients.flat.fill(0) }
        }
    }

    /// √Σ g², summed in pieces of a fixed size, so that it is the same for any number of lanes.
    ///
    /// - Parameter pool: lanes that share the elements, if any.
    package func norm(pool: LanePool? = nil) -> Double {
        let size = 1 << 18
        let count = (flat.count + size - 1) / size
        let sums = LaneResults(repeating: 0.0, count: count)
        func sum(_ pieces: Range<Int>) {
            for piece in pieces {
                sums[piece] = flat.rows(piece * size..<min((piece + 1) * size, flat.count)).sumOfSquares
            }
        }
        if let pool {
            pool.forEachShare(of: count) { _, pieces in sum(pieces) }
        } else {
            sum(0..<count)
        }
        return sums.values.reduce(0, +).squareRoot()
    }
}
