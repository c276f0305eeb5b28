import Bytes
import Machine
import Market

// The account's ceiling: see DESIGN, "Credit". In force at all times: consumed + reserved ≤ ceiling.
extension ShardMachine {
  mutating func take(_ credit: Credit, into output: inout OutputBuffer) {
    if credit.account == .house { return }
    var slot = accountSlot(credit.account)
    if slot == 0 { slot = addAccount(credit.account) }
    if accounts[slot].isOpen, credit.version <= accounts[slot].creditVersion {
      return acknowledgeCredit(slot, into: &output)
    }
    if !accounts[slot].isOpen {
      accounts[slot].restrictions.remove(.unopened)
      accounts[slot].owner = credit.owner
    }
    accounts[slot].group = credit.group
    accounts[slot].creditVersion = credit.version
    accounts[slot].chargeMultiplier = credit.chargeMultiplier
    let before = accounts[slot].ceiling
    accounts[slot].ceiling = max(credit.ceiling.units, accounts[slot].used)
    if credit.isForced, accounts[slot].used > credit.ceiling.units {
      // Acknowledged when it is through: until then the old ceiling counts as outstanding.
      let job = Job(
        kind: .recall, accountSlot: slot, arrival: arrivals, number: credit.version, amount: credit.ceiling.units)
      return start(job, into: &output)
    }
    acknowledgeCredit(slot, into: &output)
    if accounts[slot].ceiling > before { retryHeld(slot, into: &output) }
  }

  mutating func acknowledgeCredit(_ slot: Slot, into output: inout OutputBuffer) {
    let account = accounts[slot]
    output.send(
      CreditTaken(
        account: account.id, version: account.creditVersion, ceiling: Money(units: account.ceiling),
        consumed: Money(units: account.consumed)),
      to: .risk, &streams)
  }

  mutating func take(_ grant: Grant, into output: inout OutputBuffer) {
    let slot = accountSlot(grant.account)
    let waiting = slot == 0 ? 0 : heldOrder(slot, request: grant.request)
    let wasUsed = waiting != 0 && runGranted(waiting, charge: grant.charge.units, into: &output)
    let account = slot == 0 ? Account(id: grant.account) : accounts[slot]
    output.send(
      GrantClosed(
        account: grant.account, request: grant.request, wasUsed: wasUsed, ceiling: Money(units: account.ceiling),
        consumed: Money(units: account.consumed)),
      to: .risk, &streams)
  }

  mutating func take(_ refusal: CreditRefused, into output: inout OutputBuffer) {
    let slot = accountSlot(refusal.account)
    let waiting = slot == 0 ? 0 : heldOrder(slot, request: refusal.request)
    if waiting == 0 { return }
    let outcome = refusal.outcome.isAccepted ? .insufficientCredit : refusal.outcome
    endHeld(waiting, Answer(outcome: outcome), into: &output)
  }
}
