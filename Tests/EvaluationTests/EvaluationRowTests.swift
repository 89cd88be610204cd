import Evaluation
import Foundation
import Tensors
import Testing

struct EvaluationRowTests {
    @Test
    func `the distance is the root mean square of every sample apart`() {
        let x = Tensor([0, 0, 0, 0, 1, 1, 1, 1], shape: [2, 1, 2, 2])
        let y = Tensor([2, 2, 2, 2, 1, 1, 1, 5], shape: [2, 1, 2, 2])
        #expect(PairedDistance.perSample(x, y) == [2, 2])
        #expect(PairedDistance.perSample(x, x) == [0, 0])
    }

    @Test
    func `the interval is the normal one at 95 %`() {
        let statistics = DistanceStatistics(of: [1, 2, 3, 4])
        let deviation = (5.0 / 3).squareRoot()
        #expect(statistics.mean == 2.5)
        #expect(abs(statistics.high - (2.5 + 1.96 * deviation / 2)) < 1e-12)
        #expect(abs(statistics.low - (2.5 - 1.96 * deviation / 2)) < 1e-12)
        #expect(DistanceStatistics(of: [3]) == DistanceStatistics(mean: 3, low: 3, high: 3))
    }

    @Test
    func `a row is written with the agreed names`() throws {
        let row = EvaluationRow(
            method: "student",
            functionEvaluations: 4,
            distanceToTeacher: DistanceStatistics(mean: 0.5, low: 0.25, high: 0.75)
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode([row]), as: UTF8.self)
        let distance = #"{"high":0.75,"low":0.25,"mean":0.5}"#
        #expect(text == #"[{"distanceToTeacher":\#(distance),"functionEvaluations":4,"method":"student"}]"#)
        #expect(try JSONDecoder().decode([EvaluationRow].self, from: Data(text.utf8)) == [row])
    }

    private let table = EvaluationTable([
        EvaluationRow(
            method: "4 rectified | guided",
            functionEvaluations: 8,
            distanceToTeacher: DistanceStatistics(mean: 0.171, low: 0.163, high: 0.179)
        ),
        EvaluationRow(
            method: "teacher",
            functionEvaluations: 64,
            distanceToTeacher: DistanceStatistics(mean: 0, low: 0, high: 0)
        ),
    ])

    @Test
    func `rows are aligned as text`() {
        #expect(
            table.plainText == """
                method                evaluations  distance to teacher    95 % interval
                4 rectified | guided            8               0.1710  0.1630 … 0.1790
                teacher                        64               0.0000  0.0000 … 0.0000

                """
        )
    }

    @Test
    func `rows are a Markdown table`() {
        #expect(
            table.markdown == #"""
                | method | evaluations | distance to teacher | 95 % interval |
                | --- | ---: | ---: | ---: |
                | 4 rectified \| guided | 8 | 0.1710 | 0.1630 … 0.1790 |
                | teacher | 64 | 0.0000 | 0.0000 … 0.0000 |

                """#
        )
    }
}
