import Foundation
import Testing

@testable import TinyMLCore

struct CaptionTests {
    private let predictions = [
        Prediction(label: "fox", probability: 0.75), Prediction(label: "a/b", probability: 0.2),
        Prediction(label: "c", probability: 0.04), Prediction(label: "d", probability: 0.01),
    ]

    @Test func aCaptionTellsTheAnswerOrThatNoneIsSure() {
        let caption = PhotoCaption(predictions, threshold: 0.5, model: "net w8")
        #expect((caption.label, caption.fileName) == ("fox", "fox.png"))
        #expect(caption.top.map(\.label) == ["fox", "a/b", "c"])
        let unsure = PhotoCaption(predictions, threshold: 0.9, model: "net w8")
        #expect((unsure.label, unsure.fileName) == (nil, "unsure.png"))
        #expect(PhotoCaption([predictions[1]], threshold: 0, model: "").fileName == "a-b.png")
    }

    @Test func aCaptionsLinesNameTheModel() {
        let caption = PhotoCaption(predictions, threshold: 0.9, model: "net w8")
        #expect(caption.headline == "Unsure")
        #expect(caption.lines(Formats(locale: Locale(identifier: "en_US"))).last == "net w8")
        #expect(caption.lines(Formats(locale: Locale(identifier: "en_US"))).first == "fox  75.0%")
    }

    @Test func labelsAreCopiedAsPlainText() {
        #expect(PhotoCaption.text(of: predictions) == "fox\t75.0 %\na/b\t20.0 %\nc\t4.0 %\nd\t1.0 %")
    }

    @Test(arguments: [
        (4000, 3000, 2048, 1536), (64, 64, 480, 480), (1000, 500, 1000, 500), (10, 100_000, 480, 4_800_000),
    ])
    func aPhotoIsDrawnWithRoomForText(width: Int, height: Int, drawn: Int, tall: Int) {
        let layout = CaptionLayout(photo: PixelSize(width: width, height: height), lines: 3)
        #expect(layout.photo == PixelSize(width: drawn, height: tall))
        #expect(Double(layout.strip) > layout.headline + 3 * layout.line)
    }

    @Test func oneFrameComesForEachRequest() {
        let request = CaptureRequest()
        #expect(!request.take())
        request.ask()
        request.ask()
        #expect(request.take())
        #expect(!request.take())
    }
}

struct ClassNameTests {
    @Test(arguments: [
        ("tabby", "tabby", nil),
        (
            "European fire salamander, Salamandra salamandra", "European fire salamander",
            "Salamandra salamandra"
        ),
        ("a , b,c", "a", "b, c"), (",", ",", nil), ("", "", nil), (", b", "b", nil), ("a,", "a", nil),
    ])
    func theFirstNameIsShown(label: String, short: String, synonyms: String?) {
        #expect((ClassName(label).short, ClassName(label).synonyms) == (short, synonyms))
    }

    @Test func classesThatWouldBeTakenForEachOtherAreToldInFull() {
        let names = ClassNames(of: ["crane, bird", "crane, lifting device", "fox, Vulpes vulpes", "fox, Vulpes vulpes"])
        #expect(names["crane, bird"].short == "crane, bird")
        #expect(names["crane, lifting device"].short == "crane, lifting device")
        #expect(names["fox, Vulpes vulpes"].short == "fox")
    }

    @Test func aLongNameIsSpokenAndSavedShort() {
        let salamander = Prediction(label: "European fire salamander, Salamandra salamandra", probability: 0.9)
        let caption = PhotoCaption([salamander], threshold: 0.5, model: "net w8")
        #expect((caption.label, caption.fileName) == ("European fire salamander", "European-fire-salamander.png"))
        #expect(caption.lines(Formats(locale: Locale(identifier: "en_US"))).first == "European fire salamander  90.0%")
        #expect(PhotoReply([salamander], threshold: 0.5).sentence.english == "European fire salamander, 90 percent")
        // What is copied and recorded is the model's own word.
        #expect(PhotoCaption.text(of: [salamander]).hasPrefix("European fire salamander, Salamandra salamandra\t"))
    }
}

struct PhotoReplyTests {
    private let predictions = [
        Prediction(label: "fox", probability: 0.756), Prediction(label: "cat", probability: 0.2),
    ]

    @Test func aReplySaysTheClassOrThatNoneIsSure() {
        let sure = PhotoReply(predictions, threshold: 0.5)
        #expect((sure.label, sure.sentence.english) == ("fox", "fox, 76 percent"))
        let unsure = PhotoReply(predictions, threshold: 0.8)
        #expect((unsure.label, unsure.sentence.english) == (nil, "Unsure, perhaps fox, 76 percent"))
        let none = PhotoReply([], threshold: 0.5)
        #expect(none.label == nil)
        #expect(none.sentence.text { $0 == "Unsure" ? "Unsicher" : $0 } == "Unsicher")
        // What a model names its classes is never taken for a place to fill.
        let odd = PhotoReply([Prediction(label: "%2$@", probability: 1)], threshold: 0.5)
        #expect(odd.sentence.english == "%2$@, 100 percent")
    }
}
