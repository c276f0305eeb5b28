import Foundation
import Testing

/// A copy of a cluster that goes on, started elsewhere.
@Suite(.serialized) struct BackupTests {
  @Test func aBackupMadeUnderLoadTradesOnElsewhereAndBreachesNothing() throws {
    let scratch = ScratchDirectory()
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let (backup, restored) = ("\(scratch.path)/b", "\(scratch.path)/r")
    do {
      let cluster = try TestCluster()
      let account = try cluster.account()
      // Until the account is in a posted epoch: it must be there in the copy, too.
      try waitUntil("the account is provable", seconds: 30) {
        try cluster.novation("proof", "\(account)", "--out", "\(scratch.path)/proof").code == 0
      }
      let made = try cluster.novation("backup", "--to", backup)
      #expect(made.code == 0, "\(made.errors)")
      #expect(made.json["was_stopped"] as? Bool == false)
      // It goes on, and its copy does not know.
      _ = try cluster.account()
      try cluster.expectCleanEnd()
    }
    let restore = try NovationProgram.run(["restore", "--from", backup, "--data", restored, "--json"])
    #expect(restore.code == 0, "\(restore.errors)")
    #expect((restore.json["epoch"] as? Int ?? 0) > 0)
    let verified = try NovationProgram.run(["journal", "verify", "--data", restored])
    #expect(verified.code == 0, "\(verified.output)\(verified.errors)")
    let run = try NovationProgram.run([
      "run", "--data", restored, "--load", "100", "--batch", "4", "--accounts", "2", "--nodes", "1", "--shards", "2",
      "--seconds", "5", "--json",
    ])
    #expect(run.code == 0, "\(run.errors)\n\(run.output)")
    #expect((run.json["acknowledged"] as? Int ?? 0) > 400)
    for invariant in run.json["invariants"] as? [[String: Any]] ?? [] {
      #expect((invariant["checks"] as? Int ?? 0) > 0 && invariant["breaches"] as? Int == 0, "\(invariant)")
    }
  }
}
