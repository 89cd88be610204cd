import Tensors
import Testing

@testable import Distillation

@Suite struct StraightLineTests {
    @Test func `PeRFlow's loss is the square of what the velocity misses on a segment of two points`() throws
    {
        // From 2 at σ = 1 to 1 at σ = .5: v* = (1 − 2) / (.5 − 1) = 2; a student that says 3 is off by 1.
        let student = ConstantNetwork(3)
        let tape = Tape()
        tape.beginStep()
        let draws = ObjectiveDraws(uniforms: [[0.5]])
        var part = Toy.part(Toy.batch([2], [1], from: 1, to: 0.5), draws, student: student)
        let terms = PeRFlow(places: .uniform).terms(&part, on: tape)
        #expect(terms.student.map(\.name) == ["distillation"])
        #expect(abs(terms.student[0].loss.value.scalar - 1) < 1e-6)
        // Half-way: at σ = .75 the line is at 1.5.
        #expect(student.asked.map(\.state) == [1.5] && student.asked.map(\.sigma) == [0.75])
        #expect(part.evaluations == EvaluationCounts(student: 1))
    }

    @Test func `PeRFlow may ask at the segments' starts alone`() {
        let student = ConstantNetwork(2)
        var part = Toy.part(Toy.batch([2], [1], from: 1, to: 0.5), student: student)
        let terms = PeRFlow(places: .start).terms(&part, on: Tape())
        #expect(student.asked.map(\.state) == [2] && student.asked.map(\.sigma) == [1])
        #expect(terms.student[0].loss.value.scalar == 0)
    }

    @Test func `ReFlow's line runs from noise to data, whatever the student's segments`() {
        let student = ConstantNetwork(0)
        let draws = ObjectiveDraws(uniforms: [[0.25, 1]])
        var part = Toy.part(Toy.batch([1, 3], [-1, 3], from: 1, to: 0), draws, student: student)
        let terms = ReFlow().terms(&part, on: Tape())
        #expect(student.asked.map(\.state) == [-0.5, 3] && student.asked.map(\.sigma) == [0.25, 1])
        // Velocities 2 and 0 for a student that says 0: (4 + 0) / 2.
        #expect(terms.student[0].loss.value.scalar == 2)
    }
}
