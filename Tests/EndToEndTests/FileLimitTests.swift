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
      "-c", "ulimit -f 1; \"$0\" drill list --json >\"$1/out\"; echo $? >\"$1/code\"",
      NovationProgram.executable.path, scratch.path,
    ]
    try process.run()
    process.waitUntilExit()
    let size = try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/out")[.size] as? Int ?? 0
    // What did not fit shows that the limit was met.
    #expect((500...1_024).contains(size))
    let code = try String(contentsOfFile: "\(scratch.path)/code", encoding: .utf8)
    // 153 is a death of the signal that a limit on files sends.
    #expect(code == "0\n")
  }
}
