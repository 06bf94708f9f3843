#if canImport(SwiftUI)
import SwiftUI
import TinyMLApple
import TinyMLCore
import UniformTypeIdentifiers

#if canImport(UIKit)
import UIKit
#endif

/// The camera's picture beside or above the answer and the speed.
struct LiveView: View {
    let app: AppModel
    @State private var live = LiveModel()
    @State private var attempt = 0
    @State private var copy: SavedCopy?
    @State private var isSaving = false
    @Environment(\.openURL) private var openURL

    var body: some View {
        NavigationStack {
            layout.task(id: Choice(app: app, attempt: attempt)) {
                guard let classifier = app.flow.state.loaded else { return }
                await app.activity.whileCameraIsLive {
                    await live.run(classifier, beside: app.flow.beside.loaded, report: record)
                }
            }
        }
        .task { await live.watch() }
        .fileExporter(
            isPresented: $isSaving, document: copy?.document, contentType: copy?.type ?? .commaSeparatedText,
            defaultFilename: copy?.name
        ) { result in
            if case .failure(let error) = result { app.flow.problem = Phrase(of: error) }
        }
        .sheet(isPresented: ItemControl(live.captured != nil) { if !$0 { live.captured = nil } }.binding) {
            if let photo = live.captured {
                PictureView(app: app, photo: photo) { live.captured = nil }
            }
        }
    }

    private var screen: LiveScreen {
        var screen = LiveScreen()
        screen.stage = app.flow.state.stage
        screen.status = live.status
        screen.problem = live.problem
        screen.update = live.update
        screen.threshold = app.flow.choices.threshold
        screen.others = app.flow.models.filter { $0.id != app.flow.selection }
        screen.beside = app.flow.choices.beside
        if case .failed(let reason) = app.flow.beside { screen.besideProblem = reason }
        screen.recordedLines = live.recordedLines
        screen.hasRecording = live.recording != nil
        screen.canOpenSettings = settings != nil
        return screen
    }

    @ViewBuilder private var layout: some View {
        let content = screen.content()
        if content[.obstacle] != nil {
            ScreenView(screen: content, perform: perform)
        } else {
            GeometryReader { space in
                switch LiveArrangement(width: space.size.width, height: space.size.height).direction {
                case .beside:
                    HStack {
                        picture(content); answers(content)
                    }.padding()
                case .below:
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
            ForEach(LiveArrangement.picture, id: \.self) { kind in
                if kind == .controls {
                    HStack { part(kind, of: content) }
                        .buttonStyle(.bordered)
                        .font(.footnote)
                } else {
                    part(kind, of: content)
                }
            }
        }
    }

    private func answers(_ content: Screen<LiveScreen.Action>) -> some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                ForEach(LiveArrangement.answers, id: \.self) { kind in
                    switch kind {
                    case .tools:
                        VStack(alignment: .leading, spacing: 8) { part(kind, of: content) }
                            .buttonStyle(.bordered)
                            .font(.footnote)
                    case .speed:
                        VStack(alignment: .leading, spacing: 4) { part(kind, of: content) }
                            .font(.footnote.monospacedDigit())
                    default: part(kind, of: content)
                    }
                }
            }
        }
        .frame(minWidth: 200, maxWidth: .infinity, minHeight: 120)
    }

    @ViewBuilder private func part(_ part: ScreenPart, of content: Screen<LiveScreen.Action>) -> some View {
        if let section = content[part] {
            SectionItems(section: section, perform: perform) { slot in
                switch slot {
                case .camera: preview
                case .share:
                    if let recording = live.recording {
                        ShareLink(item: recording) { Label("Share the recording", symbol: "square.and.arrow.up") }
                    }
                default: EmptyView()
                }
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
        case .threshold(let threshold): app.flow.choices.threshold = threshold
        case .compare(let model): app.flow.compare(with: model)
        case .takePicture: live.takePhoto()
        case .copy: if let update = live.update { Clipboard.copy(PhotoCaption.text(of: update.top)) }
        case .record(let isWanted): tell { try live.record(isWanted) }
        case .saveRecording: Task { await saveRecording() }
        case .openSettings: if let settings { openURL(settings) }
        case .retry:
            live.retry()
            attempt += 1
        }
    }

    private func saveRecording() async {
        guard let recording = live.recording else { return }
        do {
            copy = try await SavedCopy(of: recording)
            isSaving = true
        } catch {
            app.flow.problem = Phrase(of: error)
        }
    }

    private func record(_ update: LiveUpdate) {
        tell {
            let other = update.other == nil ? nil : app.flow.compared
            try live.record(
                update, model: app.flow.selected?.title ?? "", second: other?.title,
                threshold: app.flow.choices.threshold)
        }
    }

    private func tell(_ work: () throws -> Void) {
        do { try work() } catch { app.flow.problem = Phrase(of: error) }
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
            classifier = app.flow.state.loaded.map { ObjectIdentifier($0) }
            beside = app.flow.beside.loaded.map { ObjectIdentifier($0) }
            self.attempt = attempt
        }
    }
}
#endif
