import Bytes
import Cryptography
import Foundation
import Testing

extension ClusterCommandTests {
  @Suite struct SettlingTests {
    @Test func aWithdrawalIsPaidByTheVault() throws {
      let account = "\(try account())"
      let withdrawn = try novation(
        "withdraw", "--account", account, "--currency", "USDC", "--amount", "1234.5", "--json")
      #expect(withdrawn.code == 0, "\(withdrawn.output)\(withdrawn.errors)")
      let report = try withdrawn.json()
      #expect(
        Set(report.keys) == [
          "account", "currency", "amount", "outcome", "code", "is_granted", "epoch", "paid", "recipient", "nonce",
          "sequence",
        ])
      #expect(report["paid"] as? String == "1234.5")
      for step in ["signed", "granted", "waiting until epoch", "claiming", "paid"] {
        #expect(withdrawn.errors.contains(step), "\(withdrawn.errors)")
      }
      let shown = try novation("account", "show", account, "--json").json()
      #expect((shown["ledger"] as? [String: String])?["USDC"] == "998765.5")
    }

    @Test func aWithdrawalBeyondTheBalanceIsRefused() throws {
      let account = "\(try account())"
      let refused = try novation(
        "withdraw", "--account", account, "--currency", "USDC", "--amount", "1000001", "--json")
      #expect(refused.code == 1)
      let report = try refused.json()
      #expect(report["outcome"] as? String == "insufficient_funds")
      #expect(report["paid"] == nil)
      #expect(report["reason"] != nil)
      try novation("withdraw", "--account", account, "--currency", "USDC", "--amount", "0.00000001")
        .expectRefusal(2, "--amount", "6 decimals")
      try novation("withdraw", "--account", account, "--currency", "GOLD", "--amount", "1")
        .expectRefusal(2, "currency GOLD")
    }

    @Test func aProofHoldsAndATamperedOneDoesNot() throws {
      let scratch = ScratchDirectory()
      let account = try account()
      let file = try scratch.write("", to: "proof.json")
      var proof = try novation("proof", "\(account)", "--json")
      for _ in 0..<100 where proof.code != 0 {
        usleep(100_000)
        proof = try novation("proof", "\(account)", "--json")
      }
      let object = try proof.json()
      #expect(
        Set(object.keys) == ["account", "epoch", "root", "header", "leaf", "positions", "siblings"])
      #expect(try novation("proof", "\(account)", "--out", file).output.isEmpty)
      var verified = try novation("verify-proof", file, "--json")
      for _ in 0..<50 where verified.code != 0 {
        // The epoch is posted a moment after it was applied.
        usleep(100_000)
        verified = try novation("verify-proof", file, "--json")
      }
      #expect(verified.code == 0, "\(verified.output)\(verified.errors)")
      let claim = try verified.json()
      #expect(claim["is_proven"] as? Bool == true)
      #expect((claim["ledger"] as? [String])?.first == "1000000")
      let root = try #require(claim["root"] as? String)
      #expect(try novation("verify-proof", file, "--root", root).code == 0)
      #expect(try novation("verify-proof", file, "--root", String(repeating: "0", count: 64)).code == 1)

      let text = try String(contentsOfFile: file, encoding: .utf8)
      let parts = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      let original = try #require(parts?["leaf"] as? String)
      let last: Character = original.last == "0" ? "1" : "0"
      let tampered = try scratch.write(
        text.replacingOccurrences(of: original, with: original.dropLast() + String(last)), to: "tampered.json")
      let refused = try novation("verify-proof", tampered)
      #expect(refused.code == 1, "\(refused.output)\(refused.errors)")
      #expect(refused.output.contains("NOT PROVEN"))
      #expect(try novation("verify-proof", tampered, "--root", root).code == 1)

      try novation("verify-proof", scratch.write("{}", to: "empty.json")).expectRefusal(2, "empty.json", "not a proof")
      try novation("verify-proof", "/nowhere").expectRefusal(2, "/nowhere: cannot be read")
      try novation("verify-proof", file, "--root", "beef").expectRefusal(2, "--root beef", "64 hexadecimal digits")
      try novation("proof", "9999").expectRefusal(1, "account 9999")
    }

    @Test func anEpochIsFinalAndTellsItsRoot() throws {
      var shown = try novation("epoch", "--json").json()
      for _ in 0..<50 where shown["epoch"] as? Int == 0 {
        usleep(100_000)
        shown = try novation("epoch", "--json").json()
      }
      let epoch = try #require(shown["epoch"] as? Int)
      #expect(shown["is_final"] as? Bool == true)
      #expect((shown["root"] as? String)?.count == 66)
      #expect(Set(shown.keys).isSuperset(of: ["header_hash", "previous_root", "open_epoch", "last_final_epoch"]))
      #expect(try novation("epoch", "\(epoch)").output.contains("epoch \(epoch), final"))
      try novation("epoch", "4000000000").expectRefusal(1, "has not ended")
      try novation("epoch", "0").expectRefusal(2, "the first is 1")
    }

    @Test func statusTellsEveryProcess() throws {
      let status = try novation("status", "--json")
      #expect(status.code == 0, "\(status.output)")
      let report = try status.json()
      #expect(Set(report.keys) == ["processes", "shards", "settlement", "risk"])
      let processes = try #require(report["processes"] as? [[String: Any]])
      #expect(
        Set(processes.compactMap { $0["name"] as? String }) == [
          "settlement", "risk", "matcher-0", "marks", "gateway-0", "verifier-0",
        ])
      for process in processes {
        #expect(process["is_up"] as? Bool == true)
        #expect(process["pid"] as? Int != nil)
        #expect((process["resident_megabytes"] as? Double ?? 0) > 1)
        #expect(process["cpu_percent"] != nil)
      }
      #expect((report["shards"] as? [[String: Any]])?.count == 2)
      let running = try Program.run("prepare", "--data", RunningCluster.data)
      running.expectRefusal(2, "a cluster runs here already")
    }

    @Test func theStagesOfASignatureAreShown() throws {
      let created = try novation("account", "create", "--json").json()
      let owner = try #require(created["owner"] as? String)
      let path = try #require(created["key_file"] as? String)
      let file = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
      let secret = (file as? [String: Any])?["key"] as? String
      let key = try #require(Hexadecimal.decode(secret ?? "").flatMap { PrivateKey($0) })
      func trade(_ signature: String?) -> String {
        """
        {"subaccount_id":7,"nonce":1,"instrument_name":"BTC-PERPETUAL","direction":"buy","limit_price":"100000",
         "amount":"10","max_fee":"100","signature_expiry_sec":1900000000,"signer":"\(owner)"
         \(signature.map { ",\"signature\":\"\($0)\"" } ?? "")}
        """
      }
      let unsigned = try novation("signature-debug", "--json", input: trade(nil))
      #expect(unsigned.code == 0, "\(unsigned.errors)")
      let stages = try unsigned.json()
      #expect(
        Set(stages.keys) == [
          "module", "account", "nonce", "expiry", "signer", "type_hash", "encoded_data", "data_hash", "struct_hash",
          "domain_separator", "digest", "is_valid",
        ])
      let digest = try #require((stages["digest"] as? String).flatMap { Digest(hexadecimal: $0) })
      let signature = key.sign(digest)
      let text = Hexadecimal.encode(signature.r.array + signature.s.array + [signature.recoveryID + 27])
      let signed = try novation("signature-debug", "--json", input: trade(text))
      #expect(signed.code == 0, "\(signed.output)\(signed.errors)")
      #expect(try signed.json()["recovered_signer"] as? String == owner)
      let other = try novation(
        "signature-debug", input: trade(text).replacingOccurrences(of: "\"nonce\":1", with: "\"nonce\":2"))
      #expect(other.code == 1)
      #expect(other.output.contains("NOT THE SIGNER'S"))
      try novation("signature-debug", input: "zz").expectRefusal(2, "neither JSON nor")
      try novation("signature-debug", input: "00ff").expectRefusal(2, "2 bytes are not a signed action")
      try novation("signature-debug", input: "{\"nonce\":1}").expectRefusal(2, "the field", "is missing")
      try novation("signature-debug").expectRefusal(2, "standard input is empty")
    }

    @Test func instrumentsAreListedAndFoundByNearNames() throws {
      let listed = try novation("instruments", "list", "--underlying", "btc", "--kind", "perpetual", "--json").json()
      let names = (listed["instruments"] as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
      #expect(names.contains("BTC-PERPETUAL"))
      #expect(names.allSatisfy { $0.hasPrefix("BTC") })
      let shown = try novation("instruments", "show", "BTC-PERPETUAL", "--json").json()
      #expect(
        Set(shown.keys) == [
          "name", "id", "kind", "settlement", "underlying", "settlement_currency", "shard", "tick_size", "lot_size",
          "minimum_order", "maximum_order", "asset", "sub_id",
        ])
      try novation("instruments", "show", "ETH-PERPETUA").expectRefusal(2, "did you mean ETH-PERPETUAL")
      try novation("instruments", "list", "--underlying", "XRP").expectRefusal(2, "--underlying XRP", "BTC, ETH")
    }
  }
}
