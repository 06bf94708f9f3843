#if canImport(SwiftUI)
import SwiftUI
import TinyMLApple
import TinyMLCore
import UniformTypeIdentifiers

/// What was measured and recorded on this device, to be compared, shared and deleted.
struct HistoryView: View {
    @State private var screen = HistoryScreen()
    @State private var copy: SavedCopy?
    @State private var isSaving = false

    var body: some View {
        ScreenView(screen: screen.content(), perform: perform) { slot in
            if slot == .share {
                ShareLink(items: screen.sharedFiles) {
                    Label("Share the marked files", symbol: "square.and.arrow.up")
                }
            }
        }
        .task { await change { AppFolders.kept.fill(&$0) } }
        .fileExporter(
            isPresented: $isSaving, document: copy?.document, contentType: copy?.type ?? .json,
            defaultFilename: copy?.name
        ) { result in
            if case .failure(let error) = result { screen.problem = Phrase(of: error) }
        }
    }

    private func saveMarked() async {
        guard let file = screen.sharedFiles.first else { return }
        do {
            copy = try await SavedCopy(of: file)
            isSaving = true
        } catch {
            screen.problem = Phrase(of: error)
        }
    }

    /// Reads and deletes off the main actor: full runs hold many samples.
    private func change(_ work: @escaping @Sendable (inout HistoryScreen) -> Void) async {
        let before = screen
        screen = await Task.detached {
            var changed = before
            work(&changed)
            return changed
        }.value
    }

    private func perform(_ action: HistoryScreen.Action) {
        switch action {
        case .mark(let name): screen.mark(name)
        case .saveMarked: Task { await saveMarked() }
        case .deleteMarked: Task { await change { AppFolders.kept.deleteMarked(of: &$0) } }
        }
    }
}
#endif
