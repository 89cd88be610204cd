/// A part of a model folder that can be compared with a reference; its name is its folder's.
package enum ModelComponent: String, Sendable, CaseIterable {
    case transformer
    case textEncoder = "text_encoder"
    case textEncoder2 = "text_encoder_2"
    case textEncoder3 = "text_encoder_3"
    case autoencoder = "vae"
    case tokenizer
    case tokenizer2 = "tokenizer_2"
    case tokenizer3 = "tokenizer_3"

    /// The component's folder in a model's folder.
    package func folder(in model: String) -> String { "\(model)/\(rawValue)" }
}
