import Foundation
import Testing

/// An instrument that the operator lists while the cluster runs: quoted, traded and audited like all others, also after
/// every process was killed and the cluster was stopped.
@Suite(.serialized) struct ListingTests {
  /// The name of a future that no market opens with: at 08:00 UTC some odd number of days ahead.
  private static func future(days: Int) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "dMMMyy"
    return "BTC-\(formatter.string(from: Date().addingTimeInterval(Double(days) * 86_400)).uppercased())"
  }

  /// Two accounts trade one lot of the instrument with each other.
  private func trade(_ instrument: String, _ maker: Int, _ taker: Int, on cluster: TestCluster) throws {
    let listed = try cluster.novation("instruments", "show", instrument)
    let lot = try #require(listed.json["minimum_order"] as? String, "\(listed.errors)")
    // The coarsest tick is a multiple of all others.
    let steps = listed.json["tick_steps"] as? [[String: Any]]
    let coarsest = (steps?.last?["tick"] ?? listed.json["tick_size"]) as? String
    let tick = try #require(coarsest.flatMap { Double($0) })
    var mark: Double?
    try waitUntil("\(instrument) has a mark", seconds: 15) {
      mark = (try cluster.novation("book", instrument).json["mark"] as? String).flatMap(Double.init)
      return mark != nil
    }
    let middle = (try #require(mark) / tick).rounded()
    func price(_ ticks: Double) -> String { String(format: "%.4f", (middle + ticks) * tick) }
    var quoted: NovationProgram.Result?
    // A process that was just started again may not be heard yet.
    try waitUntil("\(instrument) is quoted: \(quoted?.output ?? "")\(quoted?.errors ?? "")", seconds: 20) {
      quoted = try cluster.novation(
        "quote", instrument, "--account", "\(maker)", "--bid", "\(price(-20))@\(lot)", "--ask", "\(price(5))@\(lot)")
      return quoted?.code == 0
    }
    let bought = try cluster.novation(
      "order", "--account", "\(taker)", "--instrument", instrument, "--side", "buy", "--quantity", lot, "--price",
      price(5), "--tif", "ioc")
    #expect(bought.json["outcome"] as? String == "filled", "\(bought.output)\(bought.errors)")
  }

  /// Lots that an account has of the instrument, as risk sees it.
  private func position(_ account: Int, _ instrument: String, on cluster: TestCluster) throws -> Double {
    let shown = try cluster.novation("account", "show", "\(account)").json
    let positions = shown["positions"] as? [[String: Any]] ?? []
    let own = positions.first { $0["instrument"] as? String == instrument }
    return (own?["quantity"] as? String).flatMap(Double.init) ?? 0
  }

  @Test func whatIsListedWhileTheClusterRunsIsTradedAuditedAndKept() throws {
    let cluster = try TestCluster()
    let name = Self.future(days: 211)
    let option = "\(name)-100000-C"
    let (maker, taker) = (try cluster.account(), try cluster.account())
    let unlisted = try cluster.novation("book", name)
    #expect(unlisted.code == 2 && unlisted.errors.contains("not listed"))

    let added = try cluster.novation("instrument", "add", name, option)
    #expect(added.code == 0, "\(added.output)\(added.errors)")
    let instruments = try #require(added.json["instruments"] as? [[String: Any]])
    #expect(instruments.count == 2)
    for instrument in instruments {
      #expect(instrument["outcome"] as? String == "applied" && instrument["is_served"] as? Bool == true)
      #expect(instrument["is_marked"] as? Bool == true, "\(instrument)")
    }
    let again = try cluster.novation("instrument", "add", name)
    #expect(again.code == 2 && again.errors.contains("listed already"))

    try trade(name, maker, taker, on: cluster)
    try trade(option, maker, taker, on: cluster)
    try waitUntil("risk has both positions", seconds: 10) {
      try position(taker, name, on: cluster) > 0 && position(maker, option, on: cluster) < 0
    }
    let before = try position(taker, name, on: cluster)

    for node in ["matcher-0", "risk", "marks", "gateway-0", "settlement", "verifier-0"] {
      try cluster.killNode(node)
      usleep(300_000)
      try waitUntil("\(node) is back", seconds: 30) { try cluster.novation("status").code == 0 }
      try trade(name, maker, taker, on: cluster)
    }
    try waitUntil("risk has all seven trades", seconds: 10) {
      abs(try position(taker, name, on: cluster) - 7 * before) < before / 2
    }

    try cluster.expectCleanEnd()
    let kept = try cluster.novation("instruments", "show", option)
    #expect(kept.code == 0, "known though nothing runs: \(kept.errors)")
    try cluster.startAgain()
    try trade(name, maker, taker, on: cluster)
    try trade(option, maker, taker, on: cluster)
    try cluster.expectCleanEnd()
  }

  @Test func aGatewayStartedAnewNeverCallsUnlistedWhatRiskHasListed() throws {
    let cluster = try TestCluster()
    let name = Self.future(days: 213)
    let added = try cluster.novation("instrument", "add", name)
    #expect(added.code == 0, "\(added.output)\(added.errors)")
    let thaw = try cluster.freezeNode("risk")
    try cluster.killNode("gateway-0")
    sleep(1)
    let shown = try cluster.novation("instruments", "show", name)
    thaw()
    #expect(shown.code == 0, "\(shown.errors)")
    try cluster.expectCleanEnd()
  }

  @Test func whoIsNotTheOperatorListsNothing() throws {
    let cluster = try TestCluster()
    let key = "\(cluster.data)/keys/operator/house.secret"
    try String(repeating: "17", count: 32).write(toFile: key, atomically: false, encoding: .utf8)
    let refused = try cluster.novation("instrument", "add", Self.future(days: 211))
    #expect(refused.code == 2 && refused.errors.contains("this market's operator is"), "\(refused.errors)")
  }
}
