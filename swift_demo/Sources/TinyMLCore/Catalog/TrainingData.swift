/// What a model was trained on, as far as it matters to whoever uses or passes it on.
public enum TrainingData: Hashable, Sendable {
    case tinyImageNet
    case shapes
    /// A data set of somebody's own, by its name.
    case other(String)

    /// The data set that a manifest names; a folder's path counts as its last part.
    public init(_ name: String) {
        switch name {
        case "tiny-imagenet": self = .tinyImageNet
        case "shapes": self = .shapes
        default: self = .other(name.split(separator: "/").last.map(String.init) ?? name)
        }
    }

    public var title: Phrase {
        switch self {
        case .tinyImageNet: .verbatim("Tiny ImageNet")
        case .shapes: Phrase("drawn shapes")
        case .other(let name): .verbatim(name)
        }
    }

    /// Where it comes from and what it may be used for; nil where only its owner knows.
    public var note: Phrase? {
        switch self {
        case .tinyImageNet:
            Phrase(
                "Tiny ImageNet is a part of ImageNet, whose images are given out for research and teaching only. The images are not part of this app."
            )
        case .shapes: Phrase("The shapes were drawn by the tool that trained the model: it knows nothing else.")
        case .other: nil
        }
    }
}
