/// Whatever says what is on an image that already has the model's input size.
public protocol ImageClassifier {
    /// The probabilities of all classes, in any order.
    func predictions(for image: RGBImage) throws -> [Prediction]
}
