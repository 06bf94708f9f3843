#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// A window of the app: five screens and the alerts that belong to none of them.
public struct RootView: View {
    let app: AppModel
    @State private var tab = AppTab.camera

    public init(app: AppModel) {
        self.app = app
    }

    public var body: some View {
        TabView(selection: $tab) {
            ForEach(AppTab.allCases) { tab in
                screen(tab)
                    .tabItem { Label(tab.title, symbol: tab.symbol) }
                    .tag(tab)
                    .accessibilityIdentifier("screen-\(tab.rawValue)")
            }
        }
        .task { app.start() }
        .onChange(of: app.cameraRequests) { tab = .camera }
        .alert(
            app.alert?.screen.title.localized ?? "",
            isPresented: ItemControl(app.alert != nil) { if !$0 { dismiss() } }.binding
        ) {
            alertItems(buttons: true)
        } message: {
            alertItems(buttons: false)
        }
    }

    @ViewBuilder private func screen(_ tab: AppTab) -> some View {
        switch tab {
        case .camera: LiveView(app: app)
        case .photo: PhotoView(app: app)
        case .models: ModelsView(app: app)
        case .benchmark: BenchmarkView(app: app)
        case .checks: ChecksView(app: app)
        }
    }

    /// An alert takes its buttons and its message apart.
    @ViewBuilder private func alertItems(buttons: Bool) -> some View {
        let items = app.alert?.screen[.summary]?.items.filter { $0.isButton == buttons } ?? []
        ForEach(Array(items.enumerated()), id: \.offset) { _, item in
            ScreenItemView(item: item, perform: app.perform) { _ in EmptyView() }
        }
    }

    private func dismiss() {
        switch app.alert {
        case .crashed: app.perform(.goOn)
        case .problem: app.perform(.dismiss)
        case nil: break
        }
    }
}
#endif
