import Operations

/// What a host's disk is like now.
struct SimulatedDisk {
  /// Nanoseconds that a commit takes at least; it takes up to three times as long.
  var commit: Int64 = 250_000
  /// Nothing more can be written.
  var isFull = false
  /// So many of the next commits fail, though the one after them would not.
  var failures = 0
  /// What becomes of the next batch that is being written when the power goes, and for how long it is gone.
  var powerCut: (kind: FaultKind, amount: Int, downtime: Int64)?

  func latency(_ random: inout SeededGenerator) -> Int64 { commit + Int64(random.below(Int(2 * commit))) }
}

/// Why a simulated disk did not write.
enum SimulatedDiskError: Error, CustomStringConvertible {
  case full
  case failed

  var description: String {
    switch self {
    case .full: "no space left on the device"
    case .failed: "the sync failed"
    }
  }
}
