import Foundation
import Testing

@testable import TinyMLCore

struct BreadcrumbTests {
    private let content = LoadBreadcrumb.Content(artifactSHA256: "a", name: "vit coreml-fp16", units: .all)

    @Test func workThatReturnsOrThrowsLeavesNothing() throws {
        struct Failure: Error {}
        try Fixtures.withTemporaryFolder { folder in
            let breadcrumb = LoadBreadcrumb(folder: folder.appendingPathComponent("new"))
            let during = try breadcrumb.during(content) { breadcrumb.leftover }
            #expect(during == content)
            #expect(breadcrumb.leftover == nil)
            #expect(throws: Failure.self) { try breadcrumb.during(content) { throw Failure() } }
            #expect(breadcrumb.leftover == nil)
        }
    }

    @Test func aCrashLeavesIt() throws {
        try Fixtures.withTemporaryFolder { folder in
            try LoadBreadcrumb(folder: folder).lay(content)
            let relaunched = LoadBreadcrumb(folder: folder)
            #expect(relaunched.leftover == content)
            relaunched.clear()
            #expect(relaunched.leftover == nil)
        }
    }
}
