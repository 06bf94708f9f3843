#if canImport(SwiftUI)
import SwiftUI
import TinyMLApple
import TinyMLCore

#if canImport(UIKit)
import UIKit
#endif

/// The camera's picture beside or above the answer and the speed.
struct LiveView: View {
    let app: AppModel
    @State private var live = LiveModel()
    @State private var attempt = 0
    @Environment(\.openURL) private var openURL

    var body: some View {
        NavigationStack {
            layout.task(id: Choice(app: app, attempt: attempt)) {
                guard let classifier = app.state.classifier else { return }
                await app.activity.whileCameraIsLive {
                    await live.run(classifier, beside: app.beside.classifier)
                }
            }
        }
        .task { await live.watch() }
    }

    private var screen: LiveScreen {
        var screen = LiveScreen()
        screen.stage = app.state.stage
        screen.status = live.status
        screen.problem = live.problem
        screen.update = live.update
        screen.threshold = app.choices.threshold
        screen.others = app.models.filter { $0.id != app.selection }
        screen.beside = app.choices.beside
        if case .failed(let reason) = app.beside { screen.besideProblem = reason }
        screen.canOpenSettings = settings != nil
        return screen
    }

    @ViewBuilder private var layout: some View {
        let content = screen.content()
        if content[.obstacle] != nil {
            ScreenView(screen: content, perform: perform)
        } else {
            GeometryReader { space in
                if space.size.width > space.size.height {
                    HStack {
                        picture(content); answers(content)
                    }.padding()
                } else {
                    VStack {
                        picture(content); answers(content)
                    }.padding()
                }
            }
            .navigationTitle(content.title.localized)
        }
    }

    private func picture(_ content: Screen<LiveScreen.Action>) -> some View {
        VStack {
            part(.picture, of: content)
            HStack {
                part(.controls, of: content)
            }
            .buttonStyle(.bordered)
            .font(.footnote)
        }
    }

    private func answers(_ content: Screen<LiveScreen.Action>) -> some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                part(.answers, of: content)
                part(.comparison, of: content)
                VStack(alignment: .leading, spacing: 4) { part(.speed, of: content) }
                    .font(.footnote.monospacedDigit())
                part(.settings, of: content)
            }
        }
        .frame(minWidth: 200, maxWidth: .infinity, minHeight: 120)
    }

    @ViewBuilder private func part(_ part: ScreenPart, of content: Screen<LiveScreen.Action>) -> some View {
        if let section = content[part] {
            SectionItems(section: section, perform: perform) { slot in
                if slot == .camera { preview }
            }
        }
    }

    private var preview: some View {
        CameraPreviewView(preview: live.controller.hardware.preview, camera: live.camera) {
            live.rotate(degrees: $0)
        }
        .frame(minWidth: 160, maxWidth: .infinity, minHeight: 160)
        .accessibilityElement(children: .ignore)
    }

    private func perform(_ action: LiveScreen.Action) {
        switch action {
        case .pause, .resume: live.togglePause()
        case .nextCamera: live.useNextCamera()
        case .torch(let isOn): live.torch(isOn)
        case .zoom(let factor): live.zoom(factor)
        case .threshold(let threshold): app.choices.threshold = threshold
        case .compare(let model): app.compare(with: model)
        case .openSettings: if let settings { openURL(settings) }
        case .retry:
            live.retry()
            attempt += 1
        }
    }

    private var settings: URL? {
        #if canImport(UIKit)
        URL(string: UIApplication.openSettingsURLString)
        #else
        nil  // macOS documents no address of its camera settings
        #endif
    }

    /// What the camera is started for.
    private struct Choice: Hashable {
        let classifier: ObjectIdentifier?
        let beside: ObjectIdentifier?
        let attempt: Int

        @MainActor init(app: AppModel, attempt: Int) {
            classifier = app.state.classifier.map(ObjectIdentifier.init)
            beside = app.beside.classifier.map(ObjectIdentifier.init)
            self.attempt = attempt
        }
    }
}
#endif
