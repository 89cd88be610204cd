/// The layers of a frozen network: held in memory, or made from its weights each time one is asked for.
struct LayerStack<Layer: Sendable>: Sendable {
    /// 256 MiB of 32-bit floats: networks up to here are held.
    static var mostHeldElements: Int { 1 << 26 }

    let count: Int
    private let held: [Layer]
    private let make: @Sendable (Int) throws(ModelError) -> Layer

    init(
        count: Int,
        isHeld: Bool,
        make: @escaping @Sendable (Int) throws(ModelError) -> Layer
    ) throws(ModelError) {
        self.count = count
        self.make = make
        var held: [Layer] = []
        if isHeld {
            for index in 0..<count { held.append(try make(index)) }
        }
        self.held = held
    }

    func layer(_ index: Int) throws(ModelError) -> Layer {
        index < held.count ? held[index] : try make(index)
    }
}
