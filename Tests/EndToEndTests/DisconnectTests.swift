import Foundation
import Testing

/// Orders that live with their client's session, and its end: the client's, or its gateway's.
@Suite(.serialized) struct DisconnectTests {
  private static let instrument = "BTC_USDC-PERPETUAL"

  /// An account with two orders far from the market: 1 lives with a client that stays, 2 with nobody.
  private struct Scene {
    let cluster: TestCluster
    let account: Int
    let shard: UInt16
    let client: Process
    let lot: String
    let price: String

    init() throws {
      cluster = try TestCluster()
      let listed = try cluster.novation("instruments", "show", DisconnectTests.instrument).json
      shard = UInt16(try #require(listed["shard"] as? Int))
      account = try cluster.account()
      lot = try #require(listed["lot_size"] as? String)
      let tick = try #require((listed["tick_size"] as? String).flatMap(Double.init))
      let book = try cluster.novation("book", DisconnectTests.instrument).json
      let mark = try #require((book["mark"] as? String).flatMap(Double.init))
      price = String(format: "%.4f", (mark * 0.93 / tick).rounded() * tick)
      let kept = try cluster.novation(
        "order", "--account", "\(account)", "--instrument", DisconnectTests.instrument, "--side", "buy", "--quantity",
        "\(lot)", "--price", price, "--client-id", "2")
      try #require(kept.json["outcome"] as? String == "resting", "\(kept.output)\(kept.errors)")
      client = try cluster.start(
        "order", "--account", "\(account)", "--instrument", DisconnectTests.instrument, "--side", "buy", "--quantity",
        "\(lot)", "--price", price, "--client-id", "1", "--cancel-on-disconnect", "--wait", "600")
      try waitUntil("both orders rest", seconds: 20) { try openOrders() == [1, 2] }
    }

    func openOrders() throws -> [Int] { try cluster.openOrders(account, shard: shard) }
  }

  @Test func anOrderThatLivesWithItsSessionIsCancelledWhenTheClientIsGone() throws {
    let scene = try Scene()
    sleep(2)
    #expect(try scene.openOrders() == [1, 2], "its client is there")
    kill(scene.client.processIdentifier, SIGKILL)
    try waitUntil("the order of the client that is gone is cancelled", seconds: 10) {
      try scene.openOrders() == [2]
    }
    // The end is told twice; what does not live with the session stays.
    sleep(3)
    #expect(try scene.openOrders() == [2])
    try scene.cluster.expectCleanEnd()
  }

  @Test func quotesThatLiveWithTheirSessionGoWithIt() throws {
    let scene = try Scene()
    let quoted = try scene.cluster.novation(
      "quote", Self.instrument, "--account", "\(scene.account)", "--bid", "\(scene.price)@\(scene.lot)",
      "--cancel-on-disconnect", "--wait", "1.5")
    #expect(quoted.code == 0, "\(quoted.output)\(quoted.errors)")
    try waitUntil("the quote is gone", seconds: 10) { try scene.openOrders() == [1, 2] }
    #expect(
      try scene.cluster.novation(
        "quote", Self.instrument, "--account", "\(scene.account)", "--bid",
        "\(scene.price)@\(scene.lot)"
      ).code == 0)
    sleep(1)
    #expect(try scene.openOrders() == [0, 1, 2], "a quote that does not stays")
  }

  @Test func aShardThatIsStartedAgainKeepsTheOrdersOfSessionsThatGoOn() throws {
    let scene = try Scene()
    try scene.cluster.killNode("matcher-0")
    try waitUntil("the shard is back", seconds: 30) { try scene.cluster.novation("status").code == 0 }
    sleep(3)
    #expect(try scene.openOrders() == [1, 2], "client and gateway are there")
    kill(scene.client.processIdentifier, SIGKILL)
    try waitUntil("the order of the client that is gone is cancelled", seconds: 10) {
      try scene.openOrders() == [2]
    }
    try scene.cluster.expectCleanEnd()
  }

  @Test func aClientThatFallsSilentHasEndedItsSession() throws {
    let scene = try Scene()
    kill(scene.client.processIdentifier, SIGSTOP)
    try waitUntil("the order of the silent client is cancelled", seconds: 15) { try scene.openOrders() == [2] }
    kill(scene.client.processIdentifier, SIGCONT)
  }

  @Test func aKilledGatewaysSessionsEndWhenItIsBack() throws {
    let scene = try Scene()
    try scene.cluster.killNode("gateway-0")
    try waitUntil("its session's order is cancelled", seconds: 20) { try scene.openOrders() == [2] }
    try scene.cluster.expectCleanEnd()
  }

  @Test func aSilentGatewaysSessionsEndAfterTheTimeOutThoughItDoesNotComeBack() throws {
    let scene = try Scene()
    let thaw = try scene.cluster.freezeNode("gateway-0")
    usleep(1_500_000)
    #expect(try scene.openOrders() == [1, 2], "the time-out is not over")
    try waitUntil("its session's order is cancelled", seconds: 15) { try scene.openOrders() == [2] }
    thaw()
    try scene.cluster.expectCleanEnd()
  }
}
