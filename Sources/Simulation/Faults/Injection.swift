/// A kind of fault, by the name that reports give it.
enum FaultKind: String, CaseIterable, Sendable {
  case loss, duplication, reordering, delay
  /// Both ways, and one way only.
  case partition
  case oneWayPartition = "one_way_partition"
  /// Killed at a moment of its own; what was being written is lost, lands, or is torn.
  case crash
  case tornWrite = "torn_write"
  case lostWrite = "lost_write"
  case landedWrite = "landed_write"
  case bitRot = "bit_rot"
  case fullDisk = "full_disk"
  case failedSync = "failed_sync"
  case slowDisk = "slow_disk"
  case clockSkew = "clock_skew"
  case clockJump = "clock_jump"
  /// A process starts while its host's clock is seconds to an hour ahead: it must not stamp anything by it.
  case clockStep = "clock_step"
  /// Stopped for a while, and then going on.
  case pause
  /// Stopped, given up for dead and replaced, and then going on.
  case zombie
  /// A host cannot reach the authority; nobody can.
  case authorityCut = "authority_cut"
  case authorityDown = "authority_down"
  /// What is asked of it and what it answers is lost now and then; takes long.
  case authorityLoss = "authority_loss"
  case authoritySlow = "authority_slow"
  /// Not faults, but the operator's changes: a copy comes, goes, is handed its machine; a machine moves. Some of the
  /// last two meet with the death of the giver or the taker.
  case standbyAdded = "standby_added"
  case standbyRemoved = "standby_removed"
  case handOver = "hand_over"
  case move
  /// A copy of a journal, made some time ago, is put in place of the new one.
  case oldCopy = "old_copy"
}

/// One fault that a seed holds: what happens to whom, when and for how long.
struct Injection: Sendable {
  /// Its place in the seed's list, by which it can be left out.
  var place: Int
  var kind: FaultKind
  /// Nanoseconds from the beginning.
  var at: Int64
  var duration: Int64
  var host: Int
  var other: Int
  /// What it takes of chance: a percentage, a share, a choice.
  var amount: Int

  func text(_ names: [String]) -> String {
    "injection \(place): \(kind.rawValue) at \(names[host])"
      + (isOfLink ? " to \(names[other])" : "") + " for \(duration / 1_000_000) ms"
  }

  var isOfLink: Bool {
    switch kind {
    case .loss, .duplication, .reordering, .delay, .partition, .oneWayPartition: true
    default: false
    }
  }
}
