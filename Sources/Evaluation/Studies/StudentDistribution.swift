import Foundation

/// Student's t distribution with a whole number of degrees of freedom.
enum StudentDistribution {
    /// P(|T| ≤ t): the finite series in θ = arctan(t / √ν) of Abramowitz & Stegun 1964, 26.7.3 and 26.7.4.
    ///
    /// - Parameters:
    ///   - angle: θ, from 0 to π/2.
    ///   - degrees: ν, 1 or more.
    private static func share(within angle: Double, degrees: Int) -> Double {
        let (sine, cosine) = (sin(angle), cos(angle))
        let isOdd = degrees % 2 == 1
        var term = isOdd ? cosine : 1
        var sum = degrees == 1 ? 0 : term
        // The last power of the cosine is ν − 2.
        for power in stride(from: isOdd ? 3 : 2, through: degrees - 2, by: 2) {
            term *= cosine * cosine * Double(power - 1) / Double(power)
            sum += term
        }
        return isOdd ? 2 / Double.pi * (angle + sine * sum) : sine * sum
    }

    /// The t with P(|T| ≤ t) = `share`, which lies between 0 and 1.
    static func bound(ofShare share: Double, degrees: Int) -> Double {
        precondition(degrees >= 1 && share > 0 && share < 1, "P(|T| ≤ t) = \(share) of \(degrees) degrees")
        var (low, high) = (0.0, Double.pi / 2)
        for _ in 0..<64 {
            let middle = (low + high) / 2
            if Self.share(within: middle, degrees: degrees) < share { low = middle } else { high = middle }
        }
        return tan((low + high) / 2) * Double(degrees).squareRoot()
    }
}
