import Foundation
import Testing

@testable import TinyMLCore

struct BreadcrumbTests {
    private struct Failure: Error {}

    private let content = LoadBreadcrumb.Content(artifactSHA256: "abc", name: "vit coreml-w8", units: .all)

    @Test func nothingIsLeftWhereWorkEnds() throws {
        try Fixtures.withTemporaryFolder { folder in
            let breadcrumb = LoadBreadcrumb(folder: folder, process: "one")
            let next = LoadBreadcrumb(folder: folder, process: "two")
            let during = try breadcrumb.during(content) { next.leftover }
            #expect(during == content)
            #expect(next.leftover == nil)
            #expect(throws: Failure.self) { try breadcrumb.during(content) { throw Failure() } }
            #expect(next.leftover == nil)
        }
    }

    @Test func aCrashLeavesIt() throws {
        try Fixtures.withTemporaryFolder { folder in
            _ = try LoadBreadcrumb(folder: folder, process: "one").lay(content)
            let relaunched = LoadBreadcrumb(folder: folder, process: "two")
            #expect(relaunched.leftover == content)
            relaunched.forgetLeftovers()
            #expect(relaunched.leftover == nil)
        }
    }

    @Test func aSecondWindowsLoadingIsNoCrash() throws {
        try Fixtures.withTemporaryFolder { folder in
            _ = try LoadBreadcrumb(folder: folder).lay(content)
            let otherWindow = LoadBreadcrumb(folder: folder)
            #expect(otherWindow.leftover == nil)
            otherWindow.forgetLeftovers()
            #expect(LoadBreadcrumb(folder: folder, process: "next").leftover == content)
        }
    }

    @Test func workThatEndsTakesNoOthersBreadcrumbAway() throws {
        try Fixtures.withTemporaryFolder { folder in
            let breadcrumb = LoadBreadcrumb(folder: folder, process: "one")
            let planning = LoadBreadcrumb.Content(artifactSHA256: "def", name: "resnet coreml-fp16", units: .cpuOnly)
            let crumb = try breadcrumb.lay(content)
            try breadcrumb.during(planning) {}
            #expect(LoadBreadcrumb(folder: folder, process: "two").leftover == content)
            crumb.clear()
            #expect(LoadBreadcrumb(folder: folder, process: "two").leftover == nil)
        }
    }
}
