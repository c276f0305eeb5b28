/// xoshiro256**, seeded by splitmix64.
struct Chance {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  init(seed: UInt64) {
    var seed = seed
    func word() -> UInt64 {
      seed &+= 0x9E37_79B9_7F4A_7C15
      var word = seed
      word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
      return word ^ word >> 31
    }
    state = (word(), word(), word(), word())
  }

  mutating func next() -> UInt64 {
    func rotated(_ word: UInt64, _ by: UInt64) -> UInt64 { word << by | word >> (64 - by) }
    let result = rotated(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotated(state.3, 45)
    return result
  }

  /// From 0 up to, not including, 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
  mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
  mutating func range(_ low: Int64, _ high: Int64) -> Int64 { low + Int64(below(UInt64(high - low + 1))) }
  mutating func coin() -> Bool { next() & 1 == 1 }
}

/// The latest of what was added.
struct Ring {
  private let capacity: Int
  private var elements: [UInt64] = []
  private var oldest = 0

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { elements.count }

  mutating func add(_ element: UInt64) {
    if elements.count < capacity { return elements.append(element) }
    elements[oldest] = element
    oldest = (oldest + 1) % capacity
  }

  func element(_ chance: inout Chance) -> UInt64 { elements[Int(chance.below(UInt64(elements.count)))] }
}
