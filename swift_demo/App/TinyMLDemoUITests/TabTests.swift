import XCTest

/// Launches the app and opens every tab: each must show its own screen, and leaves a picture of it in the test's report.
///
/// Needs Xcode and a simulator or a Mac; elsewhere this file is only parsed.
@MainActor
final class TabTests: XCTestCase {
    /// Made by the first test that asks: the class is made where no actor is.
    private lazy var app = XCUIApplication()

    override func setUp() async throws {
        continueAfterFailure = false
        app.launchArguments = ["-AppleLanguages", "(en)", "-AppleLocale", "en_US"]
        // The first launch asks for the camera; a simulator has none, and says so instead.
        addUIInterruptionMonitor(withDescription: "permission") { alert in
            let button = alert.buttons.element(boundBy: alert.buttons.count - 1)
            guard button.exists else { return false }
            button.tap()
            return true
        }
        app.launch()
    }

    func testCamera() { open("Camera", expecting: ["No live picture", "Camera picture", "Preparing the model"]) }

    func testPhoto() { open("Photo", expecting: ["Open a photo or video file", "Preparing the model"]) }

    func testModels() { open("Models", expecting: ["Compute units"]) }

    func testBenchmark() { open("Benchmark", expecting: ["Measurement"]) }

    func testChecks() { open("Checks", expecting: ["Check the model on this device"]) }

    /// Opens a tab and waits until one of some texts is there.
    private func open(_ tab: String, expecting texts: [String]) {
        let button = app.tabBars.buttons[tab].exists ? app.tabBars.buttons[tab] : app.buttons[tab].firstMatch
        XCTAssertTrue(button.waitForExistence(timeout: 30), "there is no tab \(tab)")
        button.tap()
        let found = NSPredicate(format: "label IN[c] %@", texts)
        let element = app.descendants(matching: .any).matching(found).firstMatch
        XCTAssertTrue(element.waitForExistence(timeout: 60), "\(tab) shows none of \(texts)")
        let picture = XCTAttachment(screenshot: app.screenshot())
        picture.name = tab
        picture.lifetime = .keepAlways
        add(picture)
    }
}
