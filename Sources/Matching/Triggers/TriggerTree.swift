import Market

/// A stop that waits for its trigger, or whose trigger has been met.
struct ArmedStop: BitwiseCopyable {
  var deferral: Deferral
  /// Counts with the shard's placements: age, and order among equal trigger prices.
  var arrival: UInt64 = 0
  var book: UInt16 = 0
  var isLive = true
  /// A mass cancel is to look at it next.
  var isAwaited = false
  /// Session, client id; 0 for none.
  var extra: Slot = 0
  /// Unix seconds, 0 for none.
  var expiry: UInt32 = 0
  /// Links among the account's stops, and among the book's, newest first.
  var newer: Slot = 0
  var older: Slot = 0
  var newerInBook: Slot = 0
  var olderInBook: Slot = 0
  /// In a tree: trigger price or distance, negated where the order of firing is descending.
  var key: Int64 = 0
  var left: Slot = 0
  var right: Slot = 0

  /// What it watches, and whether it waits for a rise.
  var watch: Watch {
    let operation = deferral.operation
    let isTakeProfit =
      operation.rawType == OperationCode.takeProfitLimit
      || operation.rawType == OperationCode.takeProfitMarket
    return Watch(
      source: Int(operation.triggerSource), rises: (operation.rawSide == 0) != isTakeProfit,
      trails: operation.rawType == OperationCode.trailingStop)
  }
}

/// One of the ways in which stops of a book are kept apart.
struct Watch: BitwiseCopyable {
  /// As `Operation.TriggerSource`.
  var source: Int
  var rises: Bool
  var trails: Bool
  static let count = 12
  /// In the order in which they fire.
  var place: Int { source * 4 + (rises ? 0 : 2) + (trails ? 1 : 0) }
}

/// Stops in order of (key, arrival): a treap whose priorities are a mix of the arrival numbers, so that the same stops
/// always make the same tree. Cutting off all that one price fires takes logarithmic time, however many they are.
struct TriggerTree {
  let nodes: UnsafeMutablePointer<ArmedStop>
  init(_ stops: borrowing Slab<ArmedStop>) { nodes = stops.base }

  private func priority(_ slot: Slot) -> UInt64 {
    let mixed = nodes[Int(slot)].arrival &* 0x9E37_79B9_7F4A_7C15
    return mixed ^ mixed >> 29
  }
  private func precedes(_ a: Slot, _ key: Int64, _ arrival: UInt64) -> Bool {
    let node = nodes + Int(a)
    return node.pointee.key != key ? node.pointee.key < key : node.pointee.arrival < arrival
  }

  /// Cuts the tree into those before (key, arrival) and the rest.
  func split(_ root: Slot, before key: Int64, _ arrival: UInt64) -> (Slot, Slot) {
    if root == 0 { return (0, 0) }
    if precedes(root, key, arrival) {
      let (low, high) = split(nodes[Int(root)].right, before: key, arrival)
      nodes[Int(root)].right = low
      return (root, high)
    }
    let (low, high) = split(nodes[Int(root)].left, before: key, arrival)
    nodes[Int(root)].left = high
    return (low, root)
  }

  /// Joins two trees of which the first lies before the second.
  func join(_ low: Slot, _ high: Slot) -> Slot {
    if low == 0 { return high }
    if high == 0 { return low }
    if priority(low) > priority(high) {
      nodes[Int(low)].right = join(nodes[Int(low)].right, high)
      return low
    }
    nodes[Int(high)].left = join(low, nodes[Int(high)].left)
    return high
  }

  /// Joins two trees whatever their keys.
  func union(_ a: Slot, _ b: Slot) -> Slot {
    if a == 0 { return b }
    if b == 0 { return a }
    if priority(a) < priority(b) { return union(b, a) }
    let (low, high) = split(b, before: nodes[Int(a)].key, nodes[Int(a)].arrival)
    nodes[Int(a)].left = union(nodes[Int(a)].left, low)
    nodes[Int(a)].right = union(nodes[Int(a)].right, high)
    return a
  }

  func insert(_ slot: Slot, into root: Slot) -> Slot {
    nodes[Int(slot)].left = 0
    nodes[Int(slot)].right = 0
    let (low, high) = split(root, before: nodes[Int(slot)].key, nodes[Int(slot)].arrival)
    return join(join(low, slot), high)
  }

  /// The tree without the stop, and whether it was there.
  func remove(_ slot: Slot, from root: Slot) -> (root: Slot, found: Bool) {
    if root == 0 { return (0, false) }
    if root == slot { return (join(nodes[Int(root)].left, nodes[Int(root)].right), true) }
    let node = nodes + Int(root)
    if precedes(root, nodes[Int(slot)].key, nodes[Int(slot)].arrival) {
      let (right, found) = remove(slot, from: node.pointee.right)
      node.pointee.right = right
      return (root, found)
    }
    let (left, found) = remove(slot, from: node.pointee.left)
    node.pointee.left = left
    return (root, found)
  }

  /// The first stop of a tree that is not empty.
  func first(_ root: Slot) -> Slot {
    var slot = root
    while nodes[Int(slot)].left != 0 { slot = nodes[Int(slot)].left }
    return slot
  }

  /// Every stop in order.
  func forEach(_ root: Slot, _ body: (Slot) -> Void) {
    if root == 0 { return }
    forEach(nodes[Int(root)].left, body)
    body(root)
    forEach(nodes[Int(root)].right, body)
  }
}

/// Trailing stops that share the most favourable value since they were armed. Groups lie in order of arrival, and the
/// further back the more favourable their values: a new extreme melts the newest groups into one.
struct TrailingGroup {
  /// The extreme that they follow; `nil` while the source has had no value.
  var extreme: Int64?
  /// The lowest arrival in it.
  var firstArrival: UInt64
  var root: Slot
}

/// The stops of one book.
struct TriggerBook {
  /// By `Watch.place`; those of trailing stops stay empty.
  var plain = [Slot](repeating: 0, count: Watch.count)
  var trailing = [[TrailingGroup]](repeating: [], count: Watch.count)
  /// By `Watch.place`: no trailing stop fires before the value gets here; `nil` where that is not known.
  var nearestTrailing = [Int64?](repeating: nil, count: Watch.count)
  /// Stops whose triggers have been met, in trees in the order of firing.
  var fired: [Slot] = []
  /// The newest of all.
  var newest: Slot = 0

  /// A job is there to take them up.
  var isFiring = false

  var hasFired: Bool { !fired.isEmpty }
}
