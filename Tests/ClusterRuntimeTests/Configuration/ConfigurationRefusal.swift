import ClusterRuntime

/// What reading `run.yaml` says: why it is refused, or "read".
func refusal(of yaml: String) -> String {
    do {
        _ = try RunConfiguration(yaml: yaml, path: "run.yaml")
        return "read"
    } catch {
        return "\(error)"
    }
}

/// The same of keys that stand below a model, from line 2 on.
func refusal(ofKeys yaml: String) -> String { refusal(of: "model: m\n" + yaml) }
