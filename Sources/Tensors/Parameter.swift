/// A tensor a model is made of, and the set it is trained with, if any.
package struct Parameter: Sendable {
    package let value: Tensor
    /// The set that trains it, and where in that set's flat memory it starts; nil for a frozen weight.
    package let place: ParameterPlace?
    /// The weight laid out for products; nil where they lay it out themselves.
    let packed: PackedWeight?

    /// A weight that is never trained.
    package init(frozen value: Tensor, packed: PackedWeight? = nil) {
        self.value = value
        self.packed = packed
        place = nil
    }

    package init(_ value: Tensor, at place: ParameterPlace) {
        self.value = value
        self.place = place
        packed = nil
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
