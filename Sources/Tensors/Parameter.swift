/// A tensor a model is made of, and the set it is trained with, if any.
package struct Parameter: Sendable {
    private enum Form {
        case floats(Tensor)
        case frozen(FrozenWeight, Precision)
    }

    private let form: Form
    package let shape: [Int]
    /// The set that trains it, and where in that set's flat memory it starts; nil for a frozen weight.
    package let place: ParameterPlace?

    /// Numbers that are never trained.
    package init(frozen value: Tensor) {
        form = .floats(value)
        shape = value.shape
        place = nil
    }

    /// The weight of a linear map that is never trained, laid out for products of a precision.
    package init(frozen weight: FrozenWeight, _ precision: Precision) {
        form = .frozen(weight, precision)
        shape = weight.stored.shape
        place = nil
    }

    package init(_ value: Tensor, at place: ParameterPlace) {
        form = .floats(value)
        shape = value.shape
        self.place = place
    }

    /// The numbers; of a weight that is laid out for products, those it was made from.
    package var value: Tensor {
        switch form {
        case .floats(let value): value
        case .frozen(let weight, _): weight.stored.floats
        }
    }

    /// Of the products that read it.
    package var precision: Precision {
        switch form {
        case .floats: .float32
        case .frozen(_, let precision): precision
        }
    }

    /// Whether products alone read it, in a form of their own.
    var isLaidOut: Bool {
        switch form {
        case .floats: false
        case .frozen: true
        }
    }

    /// The right-hand matrix of x · Wᵀ (`transposed`) or of dy · W, for a weight W `[O, I]`; further axes count as `I`.
    func matrix(transposed: Bool) -> Matrix {
        let inputs = shape.dropFirst().reduce(1, *)
        switch form {
        case .floats(let value): return unsafe Matrix(value.pointer, stride: inputs, transposed: transposed)
        case .frozen(let weight, let precision):
            return unsafe Matrix(
                weight.form(precision, transposed: transposed),
                stride: inputs,
                transposed: transposed
            )
        }
    }
}

/// The position of a parameter in a ``ParameterGradients``' flat memory.
package struct ParameterPlace: Sendable, Hashable {
    /// Names the set; sets of one process have different numbers.
    package let set: Int
    package let offset: Int

    package init(set: Int, offset: Int) {
        self.set = set
        self.offset = offset
    }
}

/// The gradients of one set of parameters, flat, in the set's own order.
package struct ParameterGradients: Sendable {
    package let set: Int
    /// `[parameter count of the set]`.
    package let flat: Tensor

    package init(set: Int, count: Int) {
        self.set = set
        flat = .zeros([count])
    }

    /// The slice that belongs to a parameter; nil when it is not of this set.
    func gradient(of parameter: Parameter) -> Tensor? {
        guard let place = parameter.place, place.set == set else { return nil }
        let range = place.offset..<place.offset + parameter.value.count
        return flat.rows(range).reshaped(parameter.value.shape)
    }
}
