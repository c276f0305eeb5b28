import Bytes
import Machine
import Market

extension ShardMachine {
  /// The value that a source has for the book now; `nil` if it has none.
  func sourceValue(_ source: Int, _ book: Int) -> Int64? {
    switch source {
    case 0: books[book].marksVersion == 0 ? nil : books[book].mark
    case 1: marksVersion == 0 ? nil : index
    default: books[book].hasTraded ? books[book].last : nil
    }
  }

  /// Whether a stop's trigger is met as it comes. A trailing one first takes the value there is.
  mutating func isTriggerMet(_ operation: OperationView, _ book: Int) -> Bool {
    guard let value = sourceValue(Int(operation.rawTrigger), book), operation.rawType != OperationCode.trailingStop
    else { return false }
    let isTakeProfit =
      operation.rawType == OperationCode.takeProfitLimit || operation.rawType == OperationCode.takeProfitMarket
    let rises = (operation.rawSide == 0) != isTakeProfit
    return rises ? value >= operation.triggerPrice : value <= operation.triggerPrice
  }

  /// Lets a stop wait for its trigger.
  mutating func arm(_ operation: OperationView, _ index: UInt16, _ origin: Origin, _ candidate: Candidate) -> Answer {
    arrivals &+= 1
    var stop = ArmedStop(
      deferral: Deferral(origin: origin, index: index, operation: operation.base.loadUnaligned(as: Operation.self)))
    stop.arrival = arrivals
    stop.book = UInt16(candidate.book)
    stop.expiry = candidate.expiry
    enlistStop(stop)
    let slot = accounts[origin.accountSlot].newestStop
    let watch = stop.watch
    if watch.trails {
      follow(slot, watch, candidate.book, extreme: sourceValue(watch.source, candidate.book))
    } else {
      watchFor(slot, watch, candidate.book)
    }
    return Answer(outcome: .armed)
  }

  /// Enters a stop into everything but the trees.
  mutating func enlistStop(_ stop: ArmedStop) {
    let account = stop.deferral.origin.accountSlot
    let slot = stops.insert(stop)
    let newest = accounts[account].newestStop
    stops[slot].older = newest
    stops[slot].newer = 0
    if newest != 0 { stops[newest].newer = slot }
    accounts[account].newestStop = slot
    accounts[account].armedStops += 1
    accounts[account].deferred += 1
    books[Int(stop.book)].stops += 1
    let operation = stop.deferral.operation
    let key = stop.deferral.signedName
    let base = stops.base
    stopTable.insert(stopTable.hash(key.nonce, key.owner), slot) { base[Int($0)].deferral.signedName }
    let diesWithSession = operation.flags.contains(.cancelOnDisconnect)
    if diesWithSession || operation.targetNonce != 0 {
      var extra = OrderExtra(order: 0)
      extra.stop = slot
      extra.diesWithSession = diesWithSession
      if diesWithSession {
        extra.session = stop.deferral.origin.session
        extra.generation = stop.deferral.origin.generation
      }
      extra.clientID = operation.targetNonce
      stops[slot].extra = enlist(extra, account)
    }
    if stop.expiry != 0 {
      let deadline = Timestamp(seconds: Int64(stop.expiry))
      timers.insert(Timer(deadline: deadline, kind: .stop, id: stop.arrival, slot: slot))
      timedOrders += 1
      wake(at: deadline)
    }
    if triggers.count <= Int(stop.book) {
      triggers.append(contentsOf: repeatElement(TriggerBook(), count: books.count - triggers.count))
    }
    let newestInBook = triggers[Int(stop.book)].newest
    stops[slot].olderInBook = newestInBook
    stops[slot].newerInBook = 0
    if newestInBook != 0 { stops[newestInBook].newerInBook = slot }
    triggers[Int(stop.book)].newest = slot
  }

  mutating func watchFor(_ slot: Slot, _ watch: Watch, _ book: Int) {
    let price = stops[slot].deferral.operation.triggerPrice.units
    stops[slot].key = watch.rises ? price : -price
    triggers[book].plain[watch.place] = TriggerTree(stops).insert(slot, into: triggers[book].plain[watch.place])
  }

  /// Adds a trailing stop, the newest of all, to the group with that extreme.
  mutating func follow(_ slot: Slot, _ watch: Watch, _ book: Int, extreme: Int64?) {
    stops[slot].key = stops[slot].deferral.operation.triggerPrice.units
    let tree = TriggerTree(stops)
    let last = triggers[book].trailing[watch.place].count - 1
    if last >= 0, triggers[book].trailing[watch.place][last].extreme == extreme {
      let root = triggers[book].trailing[watch.place][last].root
      triggers[book].trailing[watch.place][last].root = tree.insert(slot, into: root)
    } else {
      triggers[book].trailing[watch.place].append(
        TrailingGroup(extreme: extreme, firstArrival: stops[slot].arrival, root: tree.insert(slot, into: 0)))
    }
    if let extreme { bringNearer(Self.trigger(extreme, stops[slot].key, watch.rises), watch.rises, watch.place, book) }
  }

  /// Ends a stop: takes it out of everything. What becomes of its operation is the caller's to say.
  mutating func dropStop(_ slot: Slot) {
    let stop = stops[slot]
    let account = stop.deferral.origin.accountSlot
    let book = Int(stop.book)
    if stop.isAwaited { moveOn(fromStop: slot) }
    removeFromTrees(slot, stop, book)
    if stop.newer == 0 { accounts[account].newestStop = stop.older } else { stops[stop.newer].older = stop.older }
    if stop.older != 0 { stops[stop.older].newer = stop.newer }
    if stop.newerInBook == 0 {
      triggers[book].newest = stop.olderInBook
    } else {
      stops[stop.newerInBook].olderInBook = stop.olderInBook
    }
    if stop.olderInBook != 0 { stops[stop.olderInBook].newerInBook = stop.newerInBook }
    accounts[account].armedStops -= 1
    accounts[account].deferred -= 1
    books[book].stops -= 1
    let key = stop.deferral.signedName
    stopTable.remove(stopTable.hash(key.nonce, key.owner), slot)
    if stop.extra != 0 { delist(stop.extra, account) }
    if stop.expiry != 0 {
      timedOrders -= 1
      hasLostTimer = true
    }
    stops[slot].isLive = false
    stops[slot].arrival = 0
    stops.remove(slot)
  }

  private mutating func removeFromTrees(_ slot: Slot, _ stop: ArmedStop, _ book: Int) {
    let tree = TriggerTree(stops)
    let watch = stop.watch
    if watch.trails {
      if removeTrailing(slot, stop.arrival, watch.place, book) { return }
    } else {
      let (root, found) = tree.remove(slot, from: triggers[book].plain[watch.place])
      triggers[book].plain[watch.place] = root
      if found { return }
    }
    for place in triggers[book].fired.indices {
      let (root, found) = tree.remove(slot, from: triggers[book].fired[place])
      if !found { continue }
      if root == 0 { triggers[book].fired.remove(at: place) } else { triggers[book].fired[place] = root }
      return
    }
  }

  /// Groups lie in order of arrival.
  private mutating func removeTrailing(_ slot: Slot, _ arrival: UInt64, _ place: Int, _ book: Int) -> Bool {
    var low = 0
    var high = triggers[book].trailing[place].count - 1
    if high < 0 { return false }
    while low < high {
      let middle = (low + high + 1) / 2
      if triggers[book].trailing[place][middle].firstArrival <= arrival { low = middle } else { high = middle - 1 }
    }
    let (root, found) = TriggerTree(stops).remove(slot, from: triggers[book].trailing[place][low].root)
    if root == 0 {
      triggers[book].trailing[place].remove(at: low)
    } else {
      triggers[book].trailing[place][low].root = root
    }
    return found
  }

  /// Looks at the book's sources `first ... last` and fires what they meet.
  mutating func fireTriggers(_ book: Int, _ first: Int, _ last: Int) {
    if books[book].stops == 0 || books[book].state == .halted { return }
    let tree = TriggerTree(stops)
    for source in first...last {
      guard let value = sourceValue(source, book) else { continue }
      for rises in [true, false] {
        let plain = Watch(source: source, rises: rises, trails: false).place
        // Met are all keys up to the value, which is negated where prices are.
        let (met, rest) = tree.split(
          triggers[book].plain[plain], before: rises ? value : -value, .max)
        triggers[book].plain[plain] = rest
        fire(met, book)
        fireTrailing(Watch(source: source, rises: rises, trails: true).place, rises, value, book)
      }
    }
    // The job of stops that were cancelled before their turn may still wait.
    if triggers[book].hasFired, !triggers[book].isFiring {
      triggers[book].isFiring = true
      start(Job(kind: .fire, book: UInt32(book)))
    }
  }

  private mutating func fire(_ root: Slot, _ book: Int) {
    if root != 0 { triggers[book].fired.append(root) }
  }

  /// Where a trailing stop fires that follows an extreme at a distance: at the end of the range if beyond.
  static func trigger(_ extreme: Int64, _ distance: Int64, _ rises: Bool) -> Int64 {
    let (price, overflow) =
      rises ? extreme.addingReportingOverflow(distance) : extreme.subtractingReportingOverflow(distance)
    return overflow ? rises ? .max : .min : price
  }

  /// Some trailing stop fires at `trigger`. One that leaves may leave the bound too near, which a look in vain mends.
  private mutating func bringNearer(_ trigger: Int64, _ rises: Bool, _ place: Int, _ book: Int) {
    guard let nearest = triggers[book].nearestTrailing[place] else { return }
    triggers[book].nearestTrailing[place] = rises ? min(nearest, trigger) : max(nearest, trigger)
  }

  /// Trailing stops follow a more favourable value; what has come back by its distance fires.
  private mutating func fireTrailing(_ place: Int, _ rises: Bool, _ value: Int64, _ book: Int) {
    if triggers[book].trailing[place].isEmpty { return }
    let tree = TriggerTree(stops)
    var groups = triggers[book].trailing[place]
    triggers[book].trailing[place] = []
    var melted: TrailingGroup?
    // A stop that waits for a rise follows falls.
    while let last = groups.last, last.extreme.map({ rises ? value <= $0 : value >= $0 }) ?? true {
      groups.removeLast()
      melted = TrailingGroup(
        extreme: value, firstArrival: last.firstArrival, root: tree.union(last.root, melted?.root ?? 0))
    }
    if let melted {
      groups.append(melted)
      bringNearer(Self.trigger(value, stops[tree.first(melted.root)].key, rises), rises, place, book)
    }
    if let nearest = triggers[book].nearestTrailing[place], rises ? value < nearest : value > nearest {
      triggers[book].trailing[place] = groups
      return
    }
    var fired: [(group: Int, root: Slot)] = []
    for position in groups.indices.reversed() {
      let away =
        (rises
        ? value.subtractingReportingOverflow(groups[position].extreme ?? value)
        : (groups[position].extreme ?? value).subtractingReportingOverflow(value)).partialValue
      let (met, rest) = tree.split(groups[position].root, before: away, .max)
      groups[position].root = rest
      if met != 0 { fired.append((position, met)) }
    }
    if fired.count > 1 {
      // Several groups fire in one order: by the price at which each stop stood, not by its distance.
      var all: Slot = 0
      let base = stops.base
      for (group, root) in fired {
        let extreme = groups[group].extreme ?? value
        var slots: [Slot] = []
        tree.forEach(root) { slots.append($0) }
        for slot in slots {
          base[Int(slot)].key = rises ? extreme &+ base[Int(slot)].key : base[Int(slot)].key &- extreme
          all = tree.insert(slot, into: all)
        }
      }
      fire(all, book)
    } else if let root = fired.first?.root {
      fire(root, book)
    }
    groups.removeAll { $0.root == 0 }
    var nearest: Int64 = rises ? .max : .min
    for group in groups {
      let trigger = Self.trigger(group.extreme ?? value, stops[tree.first(group.root)].key, rises)
      nearest = rises ? min(nearest, trigger) : max(nearest, trigger)
    }
    triggers[book].trailing[place] = groups
    triggers[book].nearestTrailing[place] = nearest
  }
}

extension ShardMachine {
  /// Takes up the book's fired stops, one by one; true when none is left.
  mutating func takeUpStops(_ book: Int, into output: inout OutputBuffer) -> Bool {
    while let root = triggers[book].fired.first {
      if books[book].isBlocked || budget == 0 { return false }
      budget -= 1
      let slot = TriggerTree(stops).first(root)
      let stop = stops[slot]
      dropStop(slot)
      let name = OrderID(
        account: accounts[stop.deferral.origin.accountSlot].id, key: KeyID(stop.deferral.origin.key),
        nonce: stop.deferral.origin.nonce, index: stop.deferral.index)
      let lots = books[book].contract.lot.quotient(stop.deferral.operation.quantity.units)
      report(.triggered, .armed, name, book, remaining: lots, into: &output)
      let answer = withUnsafeBytes(of: stop.deferral.operation) { bytes in
        place(
          OperationView(bytes.baseAddress.unsafelyUnwrapped), stop.deferral.index, stop.deferral.origin, .fresh,
          isTriggered: true, into: &output)
      }
      if !answer.outcome.isDeferred { tell(name, book, answer, into: &output) }
    }
    triggers[book].isFiring = false
    return true
  }
}
