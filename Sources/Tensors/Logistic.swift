import Glibc

extension Float {
    /// 1 / (1 + exp(−self)).
    package var logistic: Float { 1 / (1 + exp(-self)) }
}

extension Float {
    /// (1 + cos(π · self)) / 2: it falls from 1 at 0 to 0 at 1.
    package var raisedCosine: Float { (1 + cos(.pi * self)) / 2 }
}
