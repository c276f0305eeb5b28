import Market
import Messaging
import Testing

@testable import Authority

/// Who may say what to the supervisor's authority.
struct AdmissionTests {
  private let holders: OwnershipTable.Placement = { $0 == .risk ? ["risk", "risk-standby-0"] : ["matcher-0"] }

  private func table() -> OwnershipTable {
    var table = OwnershipTable()
    let record = Ownership(machine: .risk, term: Term(3), owner: "risk", inSync: ["gone", "risk-standby-0"])
    _ = table.apply(.replace(record, expecting: 0), now: .now())
    _ = table.apply(.grantLease(node: "risk", nonce: 1, milliseconds: 1_000), now: .now())
    return table
  }

  private func claim(_ machine: MachineID, _ owner: String, inSync: [String] = []) -> AuthorityRequest {
    .replace(Ownership(machine: machine, term: Term(4), owner: owner, inSync: inSync), expecting: 1)
  }

  @Test func aNodeMayOnlyClaimWhatItHasACopyOf() {
    #expect(table().objection(to: claim(.risk, "risk-standby-0"), from: "risk-standby-0", holders) == nil)
    let refused = table().objection(to: claim(.risk, "matcher-0"), from: "matcher-0", holders)
    #expect(refused == "matcher-0 claims risk, of which it has no copy; risk, risk-standby-0 have")
  }

  @Test func aNodeMayOnlyNameItselfTheOwner() {
    let forOther = table().objection(to: claim(.risk, "risk-standby-0"), from: "risk", holders)
    #expect(forOther == "risk names risk-standby-0 the owner of risk")
    #expect(table().objection(to: claim(.risk, ""), from: "risk", holders) == "risk names nobody the owner of risk")
    #expect(table().objection(to: claim(.risk, "risk"), from: "operator", holders) != nil)
  }

  @Test func onlyCopiesAreTakenIntoSyncAndAnyoneMayBeLeftOut() {
    let table = table()
    for inSync in [[], ["risk-standby-0"], ["gone"], ["gone", "risk-standby-0"]] {
      #expect(table.objection(to: claim(.risk, "risk", inSync: inSync), from: "risk", holders) == nil, "\(inSync)")
    }
    let stranger = table.objection(to: claim(.risk, "risk", inSync: ["matcher-0"]), from: "risk", holders)
    #expect(stranger?.contains("takes matcher-0 into sync of risk") == true, "\(stranger ?? "")")
  }

  @Test func aLeaseIsItsNodesOwn() {
    let table = table()
    #expect(table.objection(to: .renew(lease: 1), from: "risk", holders) == nil)
    #expect(
      table.objection(to: .release(lease: 1), from: "matcher-0", holders) == "matcher-0 speaks of a lease of risk")
    #expect(table.objection(to: .renew(lease: 1), from: "matcher-0", holders) != nil)
    let foreign = AuthorityRequest.grantLease(node: "risk", nonce: 2, milliseconds: 1_000)
    #expect(table.objection(to: foreign, from: "matcher-0", holders) == "matcher-0 asks for a lease of risk")
  }

  @Test func whoOnlyAsksIsNeverRefused() {
    for request in [AuthorityRequest.ownership(.risk), .isAlive(node: "risk"), .follow(era: 1, next: 1)] {
      #expect(table().objection(to: request, from: "verifier-0", holders) == nil)
    }
  }
}
