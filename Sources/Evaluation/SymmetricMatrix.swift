/// A real symmetric matrix in double precision, for the few dozen rows of a covariance.
struct SymmetricMatrix {
    let size: Int
    /// Row by row.
    private(set) var elements: [Double]

    init(size: Int, elements: [Double]) {
        precondition(elements.count == size * size, "\(size)² elements, not \(elements.count)")
        self.size = size
        self.elements = elements
    }

    var trace: Double { (0..<size).reduce(0) { $0 + self[$1, $1] } }

    subscript(row: Int, column: Int) -> Double {
        get { elements[row * size + column] }
        set { elements[row * size + column] = newValue }
    }

    /// The plain product; symmetric only where the caller knows it to be.
    func multiplied(by other: SymmetricMatrix) -> SymmetricMatrix {
        var product = SymmetricMatrix(size: size, elements: [Double](repeating: 0, count: size * size))
        for row in 0..<size {
            for inner in 0..<size {
                let factor = self[row, inner]
                for column in 0..<size { product[row, column] += factor * other[inner, column] }
            }
        }
        return product
    }

    var eigenvalues: [Double] { diagonalized.values }

    /// The positive semidefinite square root; eigenvalues below zero, which rounding makes, count as zero.
    var squareRoot: SymmetricMatrix {
        let (values, vectors) = diagonalized
        var root = SymmetricMatrix(size: size, elements: [Double](repeating: 0, count: size * size))
        for index in 0..<size {
            let value = max(values[index], 0).squareRoot()
            for row in 0..<size {
                let scaled = value * vectors[row, index]
                for column in 0..<size { root[row, column] += scaled * vectors[column, index] }
            }
        }
        return root
    }

    /// Eigenvalues, and eigenvectors as columns, by cyclic rotations (Jacobi 1846; Golub & Van Loan §8.5).
    private var diagonalized: (values: [Double], vectors: SymmetricMatrix) {
        var matrix = self
        var vectors = SymmetricMatrix(size: size, elements: [Double](repeating: 0, count: size * size))
        for index in 0..<size { vectors[index, index] = 1 }
        let norm = elements.reduce(0) { $0 + $1 * $1 }
        // Convergence is quadratic; a dozen sweeps are plenty for any size that occurs.
        for _ in 0..<30 where matrix.offDiagonal > 1e-26 * norm {
            for p in 0..<size {
                for q in p + 1..<max(size, p + 1) { matrix.rotate(p, q, with: &vectors) }
            }
        }
        return ((0..<size).map { matrix[$0, $0] }, vectors)
    }

    private var offDiagonal: Double {
        (0..<size).reduce(0) { sum, row in
            (0..<size).reduce(sum) { $1 == row ? $0 : $0 + self[row, $1] * self[row, $1] }
        }
    }

    /// Turns rows and columns p and q so that their common element becomes 0.
    private mutating func rotate(_ p: Int, _ q: Int, with vectors: inout SymmetricMatrix) {
        guard self[p, q] != 0 else { return }
        let theta = (self[q, q] - self[p, p]) / (2 * self[p, q])
        let tangent = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let cosine = 1 / (tangent * tangent + 1).squareRoot()
        let sine = tangent * cosine
        for k in 0..<size {
            let (kp, kq) = (self[k, p], self[k, q])
            self[k, p] = cosine * kp - sine * kq
            self[k, q] = sine * kp + cosine * kq
        }
        for k in 0..<size {
            let (pk, qk) = (self[p, k], self[q, k])
            self[p, k] = cosine * pk - sine * qk
            self[q, k] = sine * pk + cosine * qk
            let (vp, vq) = (vectors[k, p], vectors[k, q])
            vectors[k, p] = cosine * vp - sine * vq
            vectors[k, q] = sine * vp + cosine * vq
        }
    }
}
