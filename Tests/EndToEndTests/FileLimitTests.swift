import Foundation
import Testing

/// A process that may write no larger file.
struct FileLimitTests {
  @Test func aWriteBeyondTheLimitIsAnErrorAndNoDeath() throws {
    let scratch = ScratchDirectory()
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "ulimit -f 1; exec \"$0\" drill list --json >\"$1\"", NovationProgram.executable.path,
      "\(scratch.path)/out",
    ]
    try process.run()
    process.waitUntilExit()
    let size = try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/out")[.size] as? Int ?? 0
    // What did not fit shows that the limit was met.
    #expect((500...1_024).contains(size))
    #expect(process.terminationReason == .exit, "it died of signal \(process.terminationStatus)")
  }
}
