import Bytes
import Machine
import Market

// Ceilings, held orders, grants.
extension NaiveEngine {
  /// Why an order's charge is not covered; an order that comes for the first time is held, and risk is asked.
  mutating func cover(
    _ ticket: NaiveTicket, _ candidate: NaiveCandidate, _ attempt: NaiveAttempt, _ charge: Int64,
    into output: inout OutputBuffer
  ) -> Outcome? {
    let account = accounts[ticket.account]
    let replaced = candidate.replaced == 0 ? nil : orders.first { $0.arrival == candidate.replaced }
    guard let wanted = Int64(exactly: Int128(account.used) - Int128(replaced?.reserved ?? 0) + Int128(charge)) else {
      return .overflow
    }
    if wanted <= account.ceiling { return nil }
    switch attempt {
    case .again: return .held
    case .quote: return .insufficientCredit
    case .fresh, .granted: break
    }
    if held.count(where: { $0.ticket.account == ticket.account }) >= Int(parameters.heldOrdersPerAccount) {
      return .tooManyHeldOrders
    }
    requests += 1
    held.append(
      NaiveHeld(
        ticket: ticket, name: candidate.name, request: requests, charge: charge,
        deadline: now + parameters.heldOrderTimeout))
    output.send(
      CreditRequest(
        request: requests, account: account.id, instrument: ticket.operation.instrument,
        lots: Lots(candidate.side.sign * candidate.lots), price: Price(units: candidate.price),
        charge: Money(units: charge), shortfall: Money(units: wanted - account.ceiling)),
      to: .risk, &streams)
    return .held
  }

  /// The account's place; an unknown one is added.
  mutating func account(_ id: AccountID) -> Int {
    if let known = accounts.firstIndex(where: { $0.id == id }) { return known }
    accounts.append(NaiveAccount(id: id, group: id))
    return accounts.count - 1
  }

  mutating func take(_ credit: Credit, into output: inout OutputBuffer) {
    if credit.account == .house { return }
    let account = account(credit.account)
    if accounts[account].isOpen, credit.version <= accounts[account].creditVersion {
      return acknowledgeCredit(account, into: &output)
    }
    if !accounts[account].isOpen {
      accounts[account].isOpen = true
      accounts[account].owner = credit.owner
    }
    accounts[account].creditVersion = credit.version
    accounts[account].chargeMultiplier = credit.chargeMultiplier
    accounts[account].group = credit.group
    let before = accounts[account].ceiling
    accounts[account].ceiling = max(credit.ceiling.units, accounts[account].used)
    if credit.isForced, accounts[account].used > credit.ceiling.units {
      return start(
        NaiveJob(
          kind: .recall, account: account, arrival: arrivals, number: credit.version, amount: credit.ceiling.units))
    }
    acknowledgeCredit(account, into: &output)
    if accounts[account].ceiling > before { retryHeld(account, into: &output) }
  }

  private mutating func acknowledgeCredit(_ account: Int, into output: inout OutputBuffer) {
    let account = accounts[account]
    output.send(
      CreditTaken(
        account: account.id, version: account.creditVersion, ceiling: Money(units: account.ceiling),
        consumed: Money(units: account.consumed)),
      to: .risk, &streams)
  }

  /// Cancels the account's newest orders until it fits; a newer credit makes the job void.
  mutating func recall(_ job: NaiveJob, into output: inout OutputBuffer) -> Bool {
    guard let account = job.account, accounts[account].creditVersion == job.number else { return true }
    var isDone = true
    while accounts[account].used > job.amount {
      let own = orders.indices.filter { orders[$0].account == account }
      guard let newest = own.max(by: { orders[$0].arrival < orders[$1].arrival }) else { break }
      if budget == 0 {
        isDone = false
        break
      }
      budget -= 1
      remove(newest, because: .cancelledByRecall, into: &output)
    }
    accounts[account].ceiling = max(job.amount, accounts[account].used)
    if isDone { acknowledgeCredit(account, into: &output) }
    return isDone
  }

  /// Looks again at the account's held orders, oldest first, after its ceiling was raised.
  private mutating func retryHeld(_ account: Int, into output: inout OutputBuffer) {
    for order in held where order.ticket.account == account {
      guard held.contains(where: { $0.request == order.request }) else { continue }
      var answer: NaiveAnswer
      if let book = book(of: order.ticket.operation.instrument).book, isBlocked(book) {
        answer = enqueue(order.ticket)
      } else {
        answer = place(order.ticket, .again(order.request), into: &output)
      }
      if answer.outcome == .held { continue }
      held.removeAll { $0.request == order.request }
      conclude(order.ticket, order.name, answer, into: &output)
    }
  }

  mutating func take(_ grant: Grant, into output: inout OutputBuffer) {
    let account = accounts.firstIndex { $0.id == grant.account }
    let order = held.first { $0.request == grant.request && $0.ticket.account == account }
    let wasUsed = order.map { run($0, charge: grant.charge.units, into: &output) } ?? false
    let standing = account.map { accounts[$0] } ?? NaiveAccount(id: grant.account, group: grant.account)
    output.send(
      GrantClosed(
        account: grant.account, request: grant.request, wasUsed: wasUsed, ceiling: Money(units: standing.ceiling),
        consumed: Money(units: standing.consumed)),
      to: .risk, &streams)
  }

  /// Runs a held order as IOC under a charge of its own; false if it could not run.
  private mutating func run(_ order: NaiveHeld, charge: Int64, into output: inout OutputBuffer) -> Bool {
    let account = accounts[order.ticket.account]
    let most = Int128(max(account.used, account.ceiling)) + Int128(charge)
    if charge < 0 || most > Int128(Int64.max) { return false }
    if let book = book(of: order.ticket.operation.instrument).book, isBlocked(book) { return false }
    let answer = place(order.ticket, .granted(order.request, charge: charge), into: &output)
    held.removeAll { $0.request == order.request }
    conclude(order.ticket, order.name, answer, into: &output)
    return answer.outcome.isAccepted
  }

  mutating func take(_ refusal: CreditRefused, into output: inout OutputBuffer) {
    guard let account = accounts.firstIndex(where: { $0.id == refusal.account }),
      let place = held.firstIndex(where: { $0.request == refusal.request && $0.ticket.account == account })
    else { return }
    let order = held.remove(at: place)
    let outcome = refusal.outcome.isAccepted ? .insufficientCredit : refusal.outcome
    conclude(order.ticket, order.name, NaiveAnswer(outcome: outcome), into: &output)
  }
}
