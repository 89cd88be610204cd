/// The layers of a frozen network: held in memory, or made from its weights each time the network runs.
struct LayerStack<Layer: Sendable>: Sendable {
    /// 256 MiB of 32-bit floats: networks up to here are held.
    static var mostHeldElements: Int { 1 << 26 }

    let count: Int
    private let held: [Layer]
    private let make: @Sendable (Int) throws(ModelError) -> Layer
    private let letGo: @Sendable (Int) -> Void

    /// - Parameter letGo: gives the memory of a layer's file back once the layer, if it is not held, has run.
    init(
        count: Int,
        isHeld: Bool,
        make: @escaping @Sendable (Int) throws(ModelError) -> Layer,
        letGo: @escaping @Sendable (Int) -> Void
    ) throws(ModelError) {
        self.count = count
        self.make = make
        self.letGo = letGo
        var held: [Layer] = []
        if isHeld {
            for index in 0..<count { held.append(try make(index)) }
        }
        self.held = held
    }

    /// Runs all layers in their order.
    func forEach(_ body: (Int, Layer) -> Void) throws(ModelError) {
        for index in 0..<count {
            if index < held.count {
                body(index, held[index])
            } else {
                body(index, try make(index))
                letGo(index)
            }
        }
    }
}
