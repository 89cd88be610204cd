import Foundation
import Testing

@testable import Evaluation

struct StudyTableTests {
    @Test func `bounds of Student's distribution are the closed forms and the tables'`() {
        // ν = 1 is Cauchy's: t = tan(π p / 2); ν = 2: t = p √(2 / (1 − p²)).
        for share in [0.1, 0.5, 0.9, 0.95, 0.99] {
            let first = StudentDistribution.bound(ofShare: share, degrees: 1)
            #expect(abs(first / tan(.pi * share / 2) - 1) < 1e-9)
            let second = StudentDistribution.bound(ofShare: share, degrees: 2)
            #expect(abs(second / (share * (2 / (1 - share * share)).squareRoot()) - 1) < 1e-9)
        }
        for (degrees, bound) in [(3, 3.182446), (4, 2.776445), (5, 2.570582), (9, 2.262157), (30, 2.042272)] {
            #expect(abs(StudentDistribution.bound(ofShare: 0.95, degrees: degrees) - bound) < 1e-6)
        }
        // Towards the normal distribution's.
        #expect(abs(StudentDistribution.bound(ofShare: 0.95, degrees: 100_000) - 1.959988) < 1e-5)
    }

    @Test func `three seeds have the interval of two degrees of freedom`() throws {
        let statistics = SeedStatistics(of: [1, 2, 3])
        #expect(statistics.mean == 2)
        // t = .95 √(2 / .0975), s = 1.
        let margin = 0.95 * (2 / 0.0975).squareRoot() / 3.0.squareRoot()
        #expect(abs(try #require(statistics.margin) - margin) < 1e-9)
        #expect(SeedStatistics(of: [4]).margin == nil)
        #expect(SeedStatistics(of: [4, 4]).margin == 0)
    }

    @Test func `cells become rows in their order, and what was not measured stays empty`() throws {
        func cell(_ row: String, _ seed: UInt64, _ figures: [StudyCell.Figure]) -> StudyCell {
            StudyCell(row: row, seed: seed, figures: figures)
        }
        let table = StudyTable([
            cell("b", 0, [.init("evaluations", 8), .init("score", 0.5)]),
            cell("a", 0, [.init("evaluations", 4)]),
            cell("b", 1, [.init("evaluations", 8), .init("score", 0.75)]),
            cell("a", 1, [.init("evaluations", 4)]),
        ])
        #expect(
            table.markdown == """
                | configuration | evaluations | score |
                | --- | ---: | ---: |
                | b | 8 | 0.625 ± 1.588 |
                | a | 4 |  |

                """
        )
        #expect(try JSONDecoder().decode(StudyTable.self, from: JSONEncoder().encode(table)) == table)
    }

    @Test func `tasks and training stand in tables of their own, with the rows that have them`() {
        let table = StudyTable([
            StudyCell(
                row: "student",
                seed: 0,
                figures: [.init("evaluations", 4), .init("colors", 0.5), .init("training, samples", 16)]
            ),
            StudyCell(row: "teacher", seed: 0, figures: [.init("evaluations", 64), .init("colors", 0.75)]),
        ])
        #expect(
            table.markdown == """
                | configuration | evaluations |
                | --- | ---: |
                | student | 4 |
                | teacher | 64 |

                | configuration | colors |
                | --- | ---: |
                | student | 0.500 |
                | teacher | 0.750 |

                | configuration | training, samples |
                | --- | ---: |
                | student | 16 |

                """
        )
    }
}
