import Foundation
import Testing

extension ClusterCommandTests {
  @Suite struct TradingTests {
    @Test func aNewAccountHasAKeyThatOnlyItsOwnerReads() throws {
      let created = try novation("account", "create", "--deposit", "2500.5", "--json").json()
      #expect(Set(created.keys) == ["account", "owner", "key_file", "currency", "amount", "has_credit"])
      let file = try #require(created["key_file"] as? String)
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let number = try #require(created["account"] as? Int)
      let shown = try novation("account", "show", "\(number)", "--json").json()
      #expect(shown["owner"] as? String == created["owner"] as? String)
      #expect((shown["ledger"] as? [String: String])?["USDC"] == "2500.5")
    }

    @Test func anUnknownAccountIsRefused() throws {
      try novation("account", "show", "9999").expectRefusal(1, "account 9999 is not known")
      try novation("account", "create", "--currency", "DOGE").expectRefusal(2, "currency DOGE", "USDC, BTC, ETH")
      try novation("account", "create", "--deposit", "-5").expectRefusal(2, "--deposit")
      try novation("account", "create", "--deposit=0").expectRefusal(2, "must be positive")
      try novation("account", "show", "seven").expectRefusal(2, "'seven' is invalid", "novation help account show")
    }

    @Test func aDepositReachesTheAccount() throws {
      let account = try account()
      let paid = try novation("deposit", "--account", "\(account)", "--currency", "BTC", "--amount", "2", "--json")
      #expect(paid.code == 0, "\(paid.errors)")
      #expect(Set(try paid.json().keys) == ["account", "currency", "amount", "number"])
      var balance: String?
      for _ in 0..<50 where balance != "2" {
        usleep(100_000)
        let shown = try novation("account", "show", "\(account)", "--json").json()
        balance = (shown["ledger"] as? [String: String])?["BTC"]
      }
      #expect(balance == "2")
      try novation("deposit", "--account", "8888", "--currency", "BTC", "--amount", "2")
        .expectRefusal(2, "no key file for account 8888")
      try novation("deposit", "--account", "0", "--currency", "BTC", "--amount", "2").expectRefusal(2, "the house")
    }

    @Test func anOrderRestsIsShownAndIsCancelled() throws {
      let account = "\(try account())"
      let placed = try novation(
        "order", "--account", account, "--instrument", "BTC-PERPETUAL", "--side", "buy", "--quantity", "100", "--price",
        price(percent: -5), "--post-only", "--json")
      #expect(placed.code == 0, "\(placed.output)\(placed.errors)")
      let order = try placed.json()
      #expect(
        Set(order.keys) == [
          "outcome", "code", "is_accepted", "order", "nonce", "index", "instrument", "side", "quantity", "price",
          "filled", "fills", "machine", "term", "sequence",
        ])
      #expect(order["outcome"] as? String == "resting")
      let nonce = "\(try #require(order["nonce"] as? UInt64))"
      #expect(order["order"] as? String == "\(account)/0/\(nonce)/0")
      let shown = try novation("account", "show", account).output
      #expect(shown.contains("\(nonce)/0  buy 100 BTC-PERPETUAL"))
      let cancelled = try novation("cancel", "--account", account, "--nonce", nonce, "--index", "0", "--json")
      #expect(cancelled.code == 0, "\(cancelled.output)\(cancelled.errors)")
      #expect(try cancelled.json()["cancelled"] as? Int == 1)
      try novation("cancel", "--account", account, "--nonce", nonce, "--index", "0")
        .expectRefusal(1, "no open order \(nonce)/0")
    }

    @Test func cancelAllEmptiesEveryShard() throws {
      let account = "\(try account())"
      for instrument in ["BTC-PERPETUAL", "ETH-PERPETUAL"] {
        let placed = try novation(
          "order", "--account", account, "--instrument", instrument, "--side", "buy", "--quantity", "100", "--price",
          price(percent: -5, of: instrument))
        #expect(placed.code == 0, "\(placed.output)\(placed.errors)")
      }
      let one = try novation("cancel", "--account", account, "--all", "--instrument", "ETH-PERPETUAL", "--json").json()
      #expect(one["cancelled"] as? Int == 1)
      let rest = try novation("cancel", "--account", account, "--all", "--json").json()
      #expect(rest["cancelled"] as? Int == 1)
      #expect((rest["parts"] as? [[String: Any]])?.count == 2)
      let shown = try novation("account", "show", account, "--json").json()
      #expect((shown["open_orders"] as? [Any])?.isEmpty == true)
      try novation("cancel", "--account", account).expectRefusal(2, "--order is missing")
      try novation("cancel", "--account", account, "--all", "--nonce", "1").expectRefusal(
        2, "--all: one order was named")
    }

    @Test func anOrderThatCrossesTellsItsFills() throws {
      let maker = "\(try account())"
      let taker = "\(try account())"
      let price = try price(percent: 3)
      let resting = try novation(
        "order", "--account", maker, "--instrument", "BTC-PERPETUAL", "--side", "sell", "--quantity", "1000",
        "--price", price, "--tif", "gtd", "--expires", "30")
      #expect(resting.code == 0, "\(resting.output)\(resting.errors)")
      let taken = try novation(
        "order", "--account", taker, "--instrument", "btc-perpetual", "--side", "buy", "--quantity", "500", "--price",
        price, "--tif", "ioc", "--json")
      #expect(taken.code == 0, "\(taken.output)\(taken.errors)")
      let report = try taken.json()
      #expect(report["outcome"] as? String == "filled")
      let fills = try #require(report["fills"] as? [[String: Any]])
      #expect(fills.reduce(0) { $0 + (Int($1["quantity"] as? String ?? "") ?? 0) } == 500)
      let shown = try novation("account", "show", taker, "--json").json()
      let positions = try #require(shown["positions"] as? [[String: String]])
      #expect(positions.isEmpty || positions == [["instrument": "BTC-PERPETUAL", "quantity": "500"]])
      let closing = try novation(
        "order", "--account", taker, "--instrument", "BTC-PERPETUAL", "--side", "buy", "--quantity", "10", "--price",
        price, "--reduce-only", "--json")
      #expect(closing.code == 1)
      #expect(try closing.json()["outcome"] as? String == "not_reducing")
    }

    @Test func theExchangesRefusalIsACodeAndAReason() throws {
      let account = "\(try account())"
      let refused = try novation(
        "order", "--account", account, "--instrument", "BTC-PERPETUAL", "--side", "buy", "--quantity", "10", "--price",
        price(percent: 50))
      #expect(refused.code == 1)
      #expect(refused.output.contains("118 outside_band: The price lies outside the band"))
      let json = try novation(
        "order", "--account", account, "--instrument", "BTC-PERPETUAL", "--side", "buy", "--quantity", "10", "--price",
        price(percent: 50), "--json"
      ).json()
      #expect(json["code"] as? Int == 118)
      #expect(json["is_accepted"] as? Bool == false)
      #expect(json["reason"] != nil)
    }

    @Test func aMistakenOrderIsRefusedBeforeItIsSigned() throws {
      let account = "\(try account())"
      func order(_ arguments: String...) throws -> Program.Result {
        try Program.run(
          ["order", "--account", account, "--side", "buy", "--data", RunningCluster.data] + arguments)
      }
      let perpetual = ["--instrument", "BTC-PERPETUAL"]
      try order("--instrument", "BTC-PERPETAUL", "--quantity", "10", "--price", "1")
        .expectRefusal(2, "BTC-PERPETAUL: not listed", "did you mean BTC-PERPETUAL")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--price", "100000.3")
        .expectRefusal(2, "off the tick", "ticks of 0.5", "100000 and 100000.5")
      try order(perpetual[0], perpetual[1], "--quantity", "15", "--price", "100000")
        .expectRefusal(2, "lots of 10", "10 and 20")
      try order(perpetual[0], perpetual[1], "--quantity", "ten", "--price", "100000")
        .expectRefusal(2, "--quantity ten", "decimal")
      try order(perpetual[0], perpetual[1], "--quantity", "10").expectRefusal(2, "--price is missing")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--price", "9", "--type", "market")
        .expectRefusal(2, "a market order has none")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--price", "9", "--tif", "ioc", "--post-only")
        .expectRefusal(2, "--post-only and --tif ioc")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--price", "9", "--tif", "gtd")
        .expectRefusal(2, "--expires is missing")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--price", "9", "--tif", "soon")
        .expectRefusal(2, "'soon' is invalid", "gtd", "novation help order")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--price", "9", "--slide")
        .expectRefusal(2, "--slide", "--post-only")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--type", "stop-market")
        .expectRefusal(2, "--trigger-price is missing")
      try order(perpetual[0], perpetual[1], "--quantity", "100", "--price", "9", "--display", "15")
        .expectRefusal(2, "--display 15", "not whole lots")
      try order(perpetual[0], perpetual[1], "--quantity", "10", "--pice", "9").expectRefusal(2, "--pice", "--price")
    }

    @Test func aKeyThatOthersReadOrThatIsDamagedIsRefused() throws {
      let created = try novation("account", "create", "--json").json()
      let account = "\(try #require(created["account"] as? Int))"
      let file = try #require(created["key_file"] as? String)
      func cancel() throws -> Program.Result { try novation("cancel", "--account", account, "--all") }
      chmod(file, 0o644)
      try cancel().expectRefusal(2, file, "others can read this key", "chmod 600")
      chmod(file, 0o600)
      #expect(try cancel().code == 0)
      try "{}".write(toFile: file, atomically: false, encoding: .utf8)
      try cancel().expectRefusal(2, file, "not a key file of account \(account)")
    }

    @Test func anAmendedOrderIsSmallerAndAReplacedOneKeepsItsName() throws {
      let account = "\(try account())"
      let placed = try novation(
        "order", "--account", account, "--instrument", "BTC-PERPETUAL", "--side", "buy", "--quantity", "100",
        "--price", price(percent: -5), "--json"
      ).json()
      let name = try #require(placed["order"] as? String)
      let amended = try novation("amend", "--account", account, "--order", name, "--quantity", "60", "--json")
      #expect(amended.code == 0, "\(amended.output)\(amended.errors)")
      #expect(try amended.json()["outcome"] as? String == "amended")
      let more = try novation("amend", "--account", account, "--order", name, "--quantity", "70")
      #expect(more.code == 1)
      #expect(more.output.contains("122 not_decreasing"))
      let replaced = try novation(
        "replace", "--account", account, "--order", name, "--price", price(percent: -6), "--json")
      #expect(replaced.code == 0, "\(replaced.output)\(replaced.errors)")
      let report = try replaced.json()
      #expect(report["order"] as? String == name)
      #expect(report["quantity"] as? String == "60")
      let cancelled = try novation("cancel", "--account", account, "--order", name, "--json").json()
      #expect(cancelled["cancelled"] as? Int == 1)
      try novation("amend", "--account", account, "--order", "1/2", "--quantity", "7").expectRefusal(1, "1/2")
      try novation("amend", "--account", account, "--order", "x/2", "--quantity", "7").expectRefusal(2, "--order x/2")
      try novation("amend", "--account", account, "--quantity", "7").expectRefusal(2, "--order is missing")
      try novation("cancel", "--account", account, "--client-id", "4").expectRefusal(1, "client id 4")
    }

    @Test func aMassCancelTakesWhatMatchesAndNothingElse() throws {
      let account = "\(try account())"
      for instrument in ["BTC-PERPETUAL", "ETH-PERPETUAL"] {
        let placed = try novation(
          "order", "--account", account, "--instrument", instrument, "--side", "buy", "--quantity", "100", "--price",
          price(percent: -5, of: instrument))
        #expect(placed.code == 0, "\(placed.output)\(placed.errors)")
      }
      let ether = try novation("cancel", "--account", account, "--underlying", "eth", "--json").json()
      #expect(ether["cancelled"] as? Int == 1)
      #expect((ether["parts"] as? [[String: Any]])?.count == 1)
      try novation("cancel", "--account", account, "--underlying", "XRP").expectRefusal(2, "--underlying XRP")
      try novation("cancel", "--account", account, "--instrument", "BTC-PERPETUAL", "--kind", "put")
        .expectRefusal(2, "--instrument with --kind")
      let rest = try novation("cancel", "--account", account, "--all", "--json").json()
      #expect(rest["cancelled"] as? Int == 1)
    }

    @Test func aFollowedBookIsProven() throws {
      let account = "\(try account())"
      let price = try price(percent: -5)
      // A process and no task: other tests may hold the threads on which tasks run.
      let follower = try Program.start([
        "book", "BTC-PERPETUAL", "--follow", "--seconds", "4", "--json", "--data", RunningCluster.data,
      ])
      for _ in 0..<6 {
        let placed = try novation(
          "order", "--account", account, "--instrument", "BTC-PERPETUAL", "--side", "buy", "--quantity", "100",
          "--price", price)
        #expect(placed.code == 0, "\(placed.output)\(placed.errors)")
        #expect(try novation("cancel", "--account", account, "--all").code == 0)
      }
      let followed = try follower.finish()
      #expect(followed.code == 0, "\(followed.output)\(followed.errors)")
      let lines = try followed.output.split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      #expect(lines.first?["event"] as? String == "l1")
      let last = try #require(lines.last)
      #expect(last["is_proven"] as? Bool == true)
      #expect((last["checksum"] as? String)?.count == 16)
      let changes = try #require(last["deltas"] as? Int)
      #expect(changes > 0)
      #expect(last["sequence"] as? Int == (last["first_sequence"] as? Int ?? 0) + changes)
    }

    @Test func aQuoteThatContradictsItselfIsRefusedBeforeItIsSigned() throws {
      let account = "\(try account())"
      func quote(_ arguments: String...) throws -> Program.Result {
        try Program.run(["quote", "--account", account, "--data", RunningCluster.data] + arguments)
      }
      try quote("BTC-PERPETUAL", "--bid", "100@10", "--ask", "100@10").expectRefusal(2, "must be below the ask")
      try quote("BTC-PERPETUAL", "--bid", "100.3@10").expectRefusal(2, "--bid 100.3", "off the tick")
      try quote("BTC-PERPETUAL", "--bid", "100").expectRefusal(2, "--bid 100", "PRICE@QUANTITY")
      try quote("--bid", "100@10").expectRefusal(2, "name the instrument")
      try quote("BTC-PERPETUAL", "--file", "/nowhere.csv").expectRefusal(2, "--file")
      try quote("--file", "/nowhere.csv").expectRefusal(2, "--file /nowhere.csv: cannot be read")
    }

    @Test func onlyTheOperatorsKeySpeaksForTheHouse() throws {
      let key = "\(RunningCluster.data)/keys/operator/house.secret"
      let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      chmod(key, 0o644)
      try novation("instrument", "halt", "ETH-PERPETUAL").expectRefusal(2, key, "others can read this key")
      chmod(key, 0o600)
      try novation("instrument", "halt").expectRefusal(2, "--underlying or --all")
      try novation("instrument", "auction", "ETH-PERPETUAL", "--seconds", "0").expectRefusal(2, "--seconds 0")
    }

    @Test func aBookHasItsMarkAndItsBand() throws {
      let book = try novation("book", "BTC-PERPETUAL", "--depth", "3", "--json").json()
      #expect(
        Set(book.keys) == [
          "instrument", "shard", "sequence", "checksum", "bids", "asks", "mark", "index", "band_low", "band_high",
        ])
      #expect((book["bids"] as? [Any])?.count ?? 9 <= 3)
      try novation("book", "BTC-PERP").expectRefusal(2, "BTC-PERP: not listed")
      try novation("book", "BTC-PERPETUAL", "--depth", "0").expectRefusal(2, "--depth 0: it must be 1 to 50")
    }
  }
}
