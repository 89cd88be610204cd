import Glibc

extension Float {
    /// 1 / (1 + exp(−self)).
    package var logistic: Float { 1 / (1 + exp(-self)) }
}
