import DiffusionModels

extension ModelFolder {
    /// The model of a run.
    ///
    /// Where the run keeps its prompts' encodings, text encoders are opened only for a prompt that is not kept yet.
    package init(of configuration: RunConfiguration) throws {
        let keeps = configuration.prompts.cachePath != nil
        let model = try ModelFolder(path: configuration.modelPath, text: keeps ? .whenNeeded : .atOnce)
        self = try model.keepingEncodings(configuration.prompts)
    }

    /// The same model, its prompts' encodings kept where the configuration says so.
    func keepingEncodings(_ prompts: PromptSettings) throws -> ModelFolder {
        guard let path = prompts.cachePath else { return self }
        return try keepingEncodings(in: path, byteLimit: prompts.cacheSize << 30)
    }
}
