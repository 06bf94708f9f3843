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
        .task { app.flow.start() }
        .onChange(of: app.cameraRequests) { tab = .camera }
        .alert(
            app.flow.alert?.screen.title.localized ?? "",
            isPresented: ItemControl(app.flow.alert != nil) { if !$0 { app.flow.dismissAlert() } }.binding
        ) {
            ForEach(Array(alertItems.enumerated()), id: \.offset) { _, item in
                if case .button(let title, let action, _, let role, _, _) = item {
                    DialogButton(title: title, role: role.system) { app.flow.perform(action) }
                }
            }
        } message: {
            ForEach(Array(alertItems.enumerated()), id: \.offset) { _, item in
                if case .text(let sentence) = item { Text(sentence) }
            }
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

    private var alertItems: [ScreenItem<AppAlert.Action>] { app.flow.alert?.screen[.summary]?.items ?? [] }
}
#endif
