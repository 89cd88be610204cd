import Tensors
import TestSupport
import Testing

@Suite struct TensorTests {
    @Test func `views share memory and copies do not`() {
        let tensor = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
        let row = tensor.row(1)
        let copy = row.copied()
        tensor.fill(7)
        #expect(row.values == [7, 7])
        #expect(copy.values == [3, 4])
    }

    @Test func `concatenated and stacked tensors keep their rows`() {
        let a = Tensor([1, 2], shape: [1, 2])
        let b = Tensor([3, 4, 5, 6], shape: [2, 2])
        #expect(Tensor.concatenated([a, b]).values == [1, 2, 3, 4, 5, 6])
        #expect(Tensor.stacked([a, a]).shape == [2, 1, 2])
        #expect(Tensor.joinedColumns([a, a]).values == [1, 2, 1, 2])
    }

    @Test(arguments: ScalarType.allCases)
    func `numbers survive their encoding`(type: ScalarType) {
        let tensor = Tensor([0, 1, -2, 0.5, 65504, -0.25], shape: [2, 3])
        let bytes = tensor.encoded(as: type)
        #expect(bytes.count == 6 * type.byteCount)
        let decoded = Tensor(decoding: bytes, as: type, shape: [2, 3])
        #expect(relativeError(decoded, tensor) < (type == .bfloat16 ? 4e-3 : 1e-7))
    }

    @Test(arguments: [[24], [1, 22, 1], [0, 5, 5, 5, 9]])
    func `floats may be cut anywhere`(_ counts: [Int]) {
        let tensor = Tensor([0, 1, -2, 0.5, 65504, -0.25], shape: [2, 3])
        var bytes = tensor.encoded()[...]
        let pieces = counts.map { count in
            defer { bytes.removeFirst(count) }
            return Array(bytes.prefix(count))
        }
        #expect(Tensor(decodingFloats: pieces, shape: [2, 3]).values == tensor.values)
    }

    @Test func `the checksum of 123456789 is that of RFC 3720`() {
        #expect(crc32c(Array("123456789".utf8)) == 0xE306_9283)
        #expect(crc32c(Array("6789".utf8), continuing: crc32c(Array("12345".utf8))) == 0xE306_9283)
    }

    @Test(arguments: [255, 256, 257, 511, 512, 513, 1000, 30_001])
    func `many bytes at a time have the checksum that they have bit by bit`(_ count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        for start in [UInt32(0), 0xE306_9283] {
            var register = ~start
            for byte in bytes {
                register ^= UInt32(byte)
                for _ in 0..<8 { register = register >> 1 ^ (register & 1 == 1 ? 0x82F6_3B78 : 0) }
            }
            #expect(crc32c(bytes, continuing: start) == ~register)
        }
    }

    @Test func `a tensor with a number that is none is not finite`() {
        #expect(Tensor([1, 2], shape: [2]).isFinite)
        #expect(!Tensor([1, .nan], shape: [2]).isFinite)
        #expect(!Tensor([.infinity, 2], shape: [2]).isFinite)
    }

    @Test func `an arena that has seen a step's shapes asks for no more memory`() {
        let tape = Tape()
        func step() {
            tape.beginStep()
            let x = tape.variable(Tensor.zeros([512, 1024]))
            var y = x
            for _ in 0..<6 { y = tape.activation(.silu, y) }
            tape.backward(from: tape.sum(y, scale: 1))
            tape.reset()
        }
        step()
        step()
        let growths = tape.arena.growthCount
        for _ in 0..<5 { step() }
        #expect(tape.arena.growthCount == growths)
    }

    @Test func `what is recomputed has the gradients of what is remembered`() {
        let values = [randomTensor([2, 3, 8], seed: 1), randomTensor([2, 48], seed: 2)]
        let weight = randomTensor([8, 8], seed: 3)
        func gradients(recomputing: Bool) -> [[Float]] {
            let tape = Tape()
            let set = ParameterGradients(set: 5, count: 64)
            tape.beginStep(differentiating: set)
            let map = Parameter(weight, at: ParameterPlace(set: 5, offset: 0))
            func block(_ tape: Tape, _ inputs: [Variable]) -> [Variable] {
                let m = Modulation(inputs[1], width: 8)
                let branch = tape.linear(
                    tape.layerNorm(inputs[0], modulation: m, shift: 0, scale: 1),
                    weight: map
                )
                return [tape.gatedResidual(inputs[0], branch, modulation: m, gate: 2, consuming: true)]
            }
            let leaves = values.map(tape.variable)
            var x = leaves[0]
            for _ in 0..<3 {
                x =
                    recomputing
                    ? tape.recomputed([x, leaves[1]], outputs: 1, block)[0] : block(tape, [x, leaves[1]])[0]
            }
            tape.backward(from: tape.squaredError(x, target: .zeros(x.shape), scale: 1))
            return leaves.map { tape.gradient(of: $0).values } + [set.flat.values]
        }
        for (recomputed, remembered) in zip(gradients(recomputing: true), gradients(recomputing: false)) {
            let reference = Tensor(remembered, shape: [remembered.count])
            #expect(reference.sumOfSquares > 0)
            #expect(relativeError(Tensor(recomputed, shape: [recomputed.count]), reference) < 1e-6)
        }
    }

    @Test func `memory of values read for the last time serves again and changes no gradient`() {
        let maps = (0..<2).map { Parameter(frozen: randomTensor([16, 16], seed: UInt64(10 + $0))) }
        let modulation = Modulation(Variable(constant: randomTensor([2, 16], seed: 12)), width: 16)
        func run(consuming: Bool) -> (gradient: [Float], value: [Float], memory: Int) {
            let tape = Tape()
            tape.beginStep()
            let leaf = tape.variable(randomTensor([2, 4, 16], seed: 13))
            var x = leaf
            for _ in 0..<3 {
                let inner = tape.linear(tape.layerNorm(x), weight: maps[0], consuming: consuming)
                let branch = tape.linear(
                    tape.activation(.geluTanh, inner, consuming: consuming),
                    weight: maps[1],
                    consuming: consuming
                )
                x = tape.gatedResidual(x, branch, modulation: modulation, gate: 0, consuming: consuming)
            }
            let (value, memory) = (x.value.values, tape.arena.usedCount)
            tape.backward(from: tape.squaredError(x, target: .zeros(x.shape), scale: 1))
            return (tape.gradient(of: leaf).values, value, memory)
        }
        let (reusing, keeping) = (run(consuming: true), run(consuming: false))
        #expect(reusing.value == keeping.value)
        #expect(reusing.gradient == keeping.gradient)
        #expect(reusing.memory < keeping.memory)
    }

    @Test func `what is recomputed is right when it spills into a second slab of the arena`() {
        let x = randomTensor([1024, 1024], seed: 6)
        let tape = Tape()
        tape.beginStep()
        let y = tape.recomputed([tape.variable(x)], outputs: 1) { tape, inputs in
            [tape.activation(.silu, inputs[0])]
        }
        let expected = Tape().activation(.silu, Variable(constant: x))
        #expect(y[0].value.values == expected.value.values)
    }

    @Test func `two losses are pulled back over the same values, each to its own set`() {
        let x = randomTensor([4, 6], seed: 4)
        let tape = Tape()
        let sets = [ParameterGradients(set: 1, count: 36), ParameterGradients(set: 2, count: 36)]
        let maps = (0..<2).map {
            Parameter(randomTensor([6, 6], seed: UInt64(5 + $0)), at: ParameterPlace(set: $0 + 1, offset: 0))
        }
        func forward() -> (first: Variable, second: Variable) {
            let middle = tape.linear(Variable(constant: x), weight: maps[0])
            let last = tape.linear(middle, weight: maps[1])
            return (
                tape.squaredError(last, target: .zeros([4, 6]), scale: 1), tape.sum(last, scale: 2)
            )
        }
        tape.beginStep(differentiating: sets[0], sets[1])
        let losses = forward()
        tape.backward(from: losses.first, to: sets[0])
        #expect(sets[1].flat.sumOfSquares == 0)
        tape.backward(from: losses.second, to: sets[1])
        let alone = [ParameterGradients(set: 1, count: 36), ParameterGradients(set: 2, count: 36)]
        tape.beginStep(differentiating: alone[0])
        tape.backward(from: forward().first)
        tape.beginStep(differentiating: alone[1])
        tape.backward(from: forward().second)
        #expect(sets[0].flat.values == alone[0].flat.values)
        #expect(sets[1].flat.values == alone[1].flat.values)
    }

    @Test func `lanes share out all of the work, each part once`() {
        let pool = LanePool(count: 3)
        let shares = LaneResults<Range<Int>>(repeating: 0..<0, count: 3)
        for count in [0, 1, 2, 3, 10] {
            for lane in 0..<3 { shares[lane] = 0..<0 }
            pool.forEachShare(of: count) { lane, range in shares[lane.index] = range }
            #expect(shares.values.flatMap(Array.init) == Array(0..<count))
        }
    }

    @Test func `a lane's share comes in even pieces no larger than asked for`() {
        let pool = LanePool(count: 2)
        let pieces = LaneResults<[Range<Int>]>(repeating: [], count: 2)
        pool.forEachShare(of: 13, inPiecesOf: 4) { lane, range in pieces[lane.index].append(range) }
        #expect(pieces[0] == [0..<3, 3..<6])
        #expect(pieces[1] == [6..<9, 9..<13])
    }

    @Test func `a gradient's memory serves again once it was read for the last time`() {
        func growth(layers: Int) -> Int {
            let tape = Tape()
            tape.beginStep()
            var y = tape.variable(randomTensor([64, 1024], seed: 1))
            for _ in 0..<layers { y = tape.activation(.silu, y) }
            let loss = tape.sum(y, scale: 1)
            let forward = tape.arena.usedCount
            tape.backward(from: loss)
            return tape.arena.usedCount - forward
        }
        #expect(growth(layers: 12) == growth(layers: 4))
    }
}
