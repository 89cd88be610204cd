import Evaluation
import ImageFiles
import Tensors
import Testing

struct PixelsTests {
    @Test
    func `planes in model space become interleaved levels`() {
        // Two pixels side by side: red plane, green plane, blue plane.
        let picture = Picture(modelSpace: Tensor([-1, 1, 0.5, -0.5, 0, 0.25], shape: [3, 1, 2]))
        #expect(picture.width == 2)
        #expect(picture.height == 1)
        #expect(picture.channels == 3)
        #expect(picture.pixels == [0, 191, 128, 255, 64, 159])
    }

    @Test
    func `every level survives the way to model space and back`() {
        let levels = (0...255).map { Float($0) / 255 * 2 - 1 }
        let picture = Picture(modelSpace: Tensor(levels + levels + levels, shape: [3, 16, 16]))
        #expect(picture.pixels == (0...255).flatMap { [UInt8](repeating: UInt8($0), count: 3) })
    }

    @Test
    func `values beyond are clamped and what is no number is black`() {
        let picture = Picture(modelSpace: Tensor([-3, .infinity, .nan], shape: [3, 1, 1]))
        #expect(picture.pixels == [0, 255, 0])
    }

    @Test
    func `a batch becomes its pictures in order`() {
        let batch = Tensor([-1, -1, -1, 1, 1, 1], shape: [2, 3, 1, 1])
        #expect(Picture.pictures(modelSpace: batch).map(\.pixels) == [[0, 0, 0], [255, 255, 255]])
    }
}
