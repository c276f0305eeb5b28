import Foundation
import Testing

extension ClusterCommandTests {
  /// What market makers and the operator do, on the running cluster.
  @Suite struct MarketMakingTests {
    private static let instrument = "BTC_USDC-PERPETUAL"

    private func order(_ account: String, _ arguments: [String]) throws -> [String: Any] {
      let placed = try Program.run(
        ["order", "--account", account, "--instrument", Self.instrument, "--data", RunningCluster.data, "--json"]
          + arguments)
      return try placed.json()
    }
    private func lots(_ count: Int) throws -> String {
      let listed = try novation("instruments", "show", Self.instrument, "--json").json()
      let lot = try #require((listed["lot_size"] as? String).flatMap { Decimal(string: $0) })
      return "\(lot * Decimal(count))"
    }
    private func price(_ percent: Int) throws -> String {
      try ClusterCommandTests.price(percent: percent, of: Self.instrument)
    }
    private func cancelAll(_ account: String) throws -> Int? {
      try novation("cancel", "--account", account, "--all", "--json").json()["cancelled"] as? Int
    }

    @Test func aStopIsArmedAndCanBeCancelled() throws {
      let account = "\(try account())"
      let stop = try order(
        account,
        [
          "--side", "sell", "--quantity", lots(10), "--type", "stop-market", "--trigger-price", price(-8),
          "--client-id", "41",
        ])
      #expect(stop["outcome"] as? String == "armed", "\(stop)")
      let shown = try novation("account", "show", account, "--json").json()
      let open = try #require(shown["open_orders"] as? [[String: Any]])
      #expect(open.count == 1 && open[0]["state"] as? String == "armed" && open[0]["client_id"] as? Int == 41)
      let cancelled = try novation("cancel", "--account", account, "--client-id", "41", "--json")
      #expect(cancelled.code == 0, "\(cancelled.output)\(cancelled.errors)")
      #expect(try cancelled.json()["cancelled"] as? Int == 1)
    }

    @Test func anIcebergShowsItsPart() throws {
      let account = "\(try account())"
      let iceberg = try order(
        account, ["--side", "buy", "--quantity", lots(50), "--price", price(-7), "--display", lots(10)])
      #expect(iceberg["outcome"] as? String == "resting", "\(iceberg)")
      let book = try novation("book", Self.instrument, "--orders", "--depth", "50", "--json")
      #expect(book.code == 0, "\(book.errors)")
      let orders = try #require(try book.json()["orders"] as? [[String: Any]])
      #expect(try orders.contains { $0["quantity"] as? String == (try lots(10)) })
      #expect(try cancelAll(account) == 1)
    }

    @Test func aBookFollowedOrderByOrderIsProven() throws {
      let followed = try novation("book", "BTC-PERPETUAL", "--follow", "--orders", "--seconds", "2")
      #expect(followed.code == 0, "\(followed.output)\(followed.errors)")
      #expect(followed.output.contains("every one proven"))
    }

    @Test func aQuoteStandsOnBothSidesAndIsReplacedWhole() throws {
      let account = "\(try account())"
      let one = try novation(
        "quote", Self.instrument, "--account", account, "--bid", "\(price(-6))@\(lots(5))", "--ask",
        "\(price(6))@\(lots(5))", "--json")
      #expect(one.code == 0, "\(one.output)\(one.errors)")
      let quotes = try #require(try one.json()["quotes"] as? [[String: Any]])
      #expect(quotes.first?["outcome"] as? String == "quoted")
      let two = try novation("quote", Self.instrument, "--account", account, "--bid", "\(price(-5))@\(lots(3))")
      #expect(two.code == 0, "\(two.output)\(two.errors)")
      let shown = try novation("account", "show", account, "--json").json()
      #expect((shown["open_orders"] as? [Any])?.count == 1)
      let cancelled = try novation("cancel", "--account", account, "--quotes", "--json").json()
      #expect(cancelled["cancelled"] as? Int == 1)
    }

    @Test func protectionAndTheDeadManTimerAreTakenByEveryShardConcerned() throws {
      let account = "\(try account())"
      let set = try novation(
        "protection", "set", "--account", account, "--underlying", "ETH", "--quantity", "10", "--json")
      #expect(set.code == 0, "\(set.output)\(set.errors)")
      let shown = try novation("protection", "show", "--account", account, "--underlying", "ETH", "--json")
      #expect(shown.code == 0, "\(shown.output)\(shown.errors)")
      let parts = try #require(try shown.json()["parts"] as? [[String: Any]])
      #expect(parts.count == 1 && parts[0]["is_tripped"] as? Bool == false && parts[0]["quotes"] as? Int == 0)
      #expect(try novation("protection", "show", "--account", account).output.contains("quotes are taken"))
      #expect(try novation("protection", "reset", "--account", account, "--underlying", "ETH").code == 0)
      let timer = try novation("dead-man", "60", "--account", account, "--json")
      #expect(timer.code == 0, "\(timer.output)\(timer.errors)")
      #expect((try timer.json()["parts"] as? [Any])?.count == 2)
      #expect(try novation("dead-man", "off", "--account", account).code == 0)
    }

    @Test func protectionShowsItsLimitsAndWhatItHasCounted() throws {
      let (maker, taker) = ("\(try account())", "\(try account())")
      let underlying = String(Self.instrument.prefix(3))
      func protection() throws -> [String: Any]? {
        let shown = try novation("protection", "show", "--account", maker, "--underlying", underlying, "--json")
        let parts = try #require(try shown.json()["parts"] as? [[String: Any]], "\(shown.errors)")
        return parts.compactMap { $0["protection"] as? [String: Any] }.first { $0["quantity"] as? String != "0" }
          ?? parts.first?["protection"] as? [String: Any]
      }
      #expect(try protection() == nil)
      let set = try novation(
        "protection", "set", "--account", maker, "--underlying", underlying, "--quantity", "1000", "--delta", "500",
        "--window", "60000")
      #expect(set.code == 0, "\(set.output)\(set.errors)")
      let before = try #require(try protection())
      #expect(before["quantity_limit"] as? String == "1000" && before["delta_limit"] as? String == "500")
      #expect(before["vega_limit"] == nil && before["window_milliseconds"] as? Int == 60_000)
      #expect(before["quantity"] as? String == "0" && before["delta"] as? String == "0")
      let quoted = try novation(
        "quote", Self.instrument, "--account", maker, "--ask", "\(price(4))@\(lots(5))", "--json")
      #expect(quoted.code == 0, "\(quoted.output)\(quoted.errors)")
      // Others' offers stand before it.
      _ = try order(taker, ["--side", "buy", "--quantity", lots(2_000), "--price", price(4), "--tif", "ioc"])
      let after = try #require(try protection())
      #expect(after["quantity"] as? String != "0" && (after["delta"] as? String)?.hasPrefix("-") == true, "\(after)")
      #expect(try novation("cancel", "--account", maker, "--quotes").code == 0)
    }

    @Test func theOperatorsKillSwitchIsTheOperatorsToLift() throws {
      let account = "\(try account())"
      #expect(try novation("kill-switch", "on", "--account", account, "--operator").code == 0)
      let refused = try order(account, ["--side", "buy", "--quantity", lots(5), "--price", price(-6)])
      #expect(refused["outcome"] as? String == "account_killed", "\(refused)")
      #expect(try novation("kill-switch", "off", "--account", account).code == 1)
      #expect(try novation("kill-switch", "off", "--account", account, "--operator").code == 0)
      let placed = try order(account, ["--side", "buy", "--quantity", lots(5), "--price", price(-6)])
      #expect(placed["outcome"] as? String == "resting", "\(placed)")
      #expect(try cancelAll(account) == 1)
    }

    @Test func aHaltedInstrumentTakesCancelsAloneAndResumesThroughAnAuction() throws {
      let account = "\(try account())"
      let placed = try order(account, ["--side", "buy", "--quantity", lots(5), "--price", price(-6)])
      #expect(placed["outcome"] as? String == "resting", "\(placed)")
      #expect(try novation("instrument", "halt", Self.instrument).code == 0)
      let refused = try order(account, ["--side", "buy", "--quantity", lots(5), "--price", price(-6)])
      #expect(refused["outcome"] as? String == "instrument_halted", "\(refused)")
      #expect(try cancelAll(account) == 1)
      #expect(try novation("instrument", "auction", Self.instrument, "--seconds", "1").code == 0)
      let gathered = try order(account, ["--side", "buy", "--quantity", lots(5), "--price", price(-6)])
      #expect(gathered["outcome"] as? String == "resting", "\(gathered)")
      usleep(1_500_000)
      let open = try order(
        account, ["--side", "buy", "--quantity", lots(5), "--price", price(-6), "--tif", "ioc"])
      #expect(open["outcome"] as? String == "residual_cancelled", "\(open)")
      #expect(try cancelAll(account) == 1)
    }
  }
}
