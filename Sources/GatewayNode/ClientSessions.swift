import Machine
import Market
import Wire

/// The clients' sessions that have, or had, orders which live with them, and the shards that still have to be told of
/// the end of one.
///
/// A shard is told until it has confirmed, and once more when no order that waited at the time (for credit, or for
/// another to finish) can wait any longer: such an order comes to rest after the first end.
struct ClientSessions {
  struct Session {
    var name: SessionName
    var generation: UInt64
    /// Machines behind the gateway, by index, that were sent such orders.
    var backs: Set<Int>
  }

  private struct Ending {
    var end: SessionEnd
    var back: Int
    /// Monotonic nanoseconds, as all times here.
    var since: Int64
    var toldAt: Int64
    var isConfirmed: Bool
  }

  /// Time after which an end that was not confirmed is told again.
  static let retry: Int64 = 500_000_000

  private let gateway: UInt16
  private let linger: Int64
  private var nextGeneration: UInt64
  private var open: [[UInt8]: Session] = [:]
  private var isTaken = [Bool](repeating: false, count: Int(SessionName.mostPlaces))
  private var pending: [Ending] = []

  /// - Parameters:
  ///   - firstGeneration: above every one of an earlier process.
  ///   - linger: nanoseconds until an end is told once more.
  init(gateway: UInt16, firstGeneration: UInt64, linger: Int64) {
    self.gateway = gateway
    self.linger = linger
    nextGeneration = firstGeneration
  }

  var count: Int { open.count }
  /// Ends that some shard has not confirmed for good.
  var endings: Int { pending.count }
  var identities: [[UInt8]] { Array(open.keys) }

  /// Whether some operation places an order that lives with its session.
  static func isNeeded(for operations: UnsafeRawBufferPointer) -> Bool {
    for offset in stride(from: 0, to: operations.count, by: Operation.byteCount) {
      let operation = operations.loadUnaligned(fromByteOffset: offset, as: Operation.self)
      guard operation.flags.contains(.cancelOnDisconnect) else { continue }
      switch operation.kind {
      case .new, .replace, .quote: return true
      default: continue
      }
    }
    return false
  }

  /// The session of a client that sends such an order to a machine; `nil` when every place is taken.
  mutating func enter(_ identity: [UInt8], _ back: Int) -> Session? {
    if open[identity] == nil {
      guard let place = isTaken.firstIndex(of: false) else { return nil }
      isTaken[place] = true
      open[identity] = Session(
        name: SessionName(gateway: gateway, place: UInt16(place)), generation: nextGeneration, backs: [])
      nextGeneration += 1
    }
    open[identity]?.backs.insert(back)
    return open[identity]
  }

  /// The client is gone.
  mutating func end(_ identity: [UInt8], at now: Int64) {
    guard let session = open.removeValue(forKey: identity) else { return }
    isTaken[Int(session.name.place)] = false
    let end = SessionEnd(session: session.name.rawValue, generation: session.generation)
    for back in session.backs.sorted() {
      // It ends what was there before in the same place, too.
      pending.removeAll { $0.back == back && $0.end.session == end.session }
      pending.append(Ending(end: end, back: back, since: now, toldAt: .min, isConfirmed: false))
    }
  }

  /// What is to be told now, and to whom.
  mutating func due(at now: Int64) -> [(back: Int, end: SessionEnd)] {
    var told: [(back: Int, end: SessionEnd)] = []
    for index in pending.indices {
      let ending = pending[index]
      let isLast = ending.toldAt < ending.since + linger && now >= ending.since + linger
      let isUnheard = !ending.isConfirmed && (ending.toldAt == .min || now - ending.toldAt >= Self.retry)
      guard isLast || isUnheard else { continue }
      pending[index].toldAt = now
      pending[index].isConfirmed = false
      told.append((ending.back, ending.end))
    }
    return told
  }

  /// The machine has the end in its journal.
  mutating func confirmed(_ end: SessionEnd, by back: Int) {
    guard let index = pending.firstIndex(where: { $0.back == back && $0.end == end }) else { return }
    if pending[index].toldAt >= pending[index].since + linger {
      pending.remove(at: index)
    } else {
      pending[index].isConfirmed = true
    }
  }
}
