import Market

/// One account's holding of one instrument.
struct Position: Sendable, Hashable, BitwiseCopyable {
  var instrument: InstrumentID
  /// Never zero in a list of positions.
  var lots: Int64
}

/// One account's positions in one underlying, and what they were last measured at.
///
/// The measurement is a pure function of positions, coin balance and marks; it is no state, and is made again when
/// asked for after any of them moved.
struct Exposure: Sendable {
  /// In order of instrument.
  var positions: [Position] = []

  var isStale = true
  /// False when a mark is missing or a sum leaves its bounds: nothing may then be concluded from the account.
  var isMeasurable = false
  /// The worst scenario's loss in USD, at least zero, coin balance included.
  var worstLoss: Int64 = 0
  var contingency: Int64 = 0
  /// By currency: what the positions are worth at mark. Empty means all zero.
  var values: [Int64] = []

  func lots(of instrument: InstrumentID) -> Int64 {
    let place = place(of: instrument)
    return place < positions.count && positions[place].instrument == instrument ? positions[place].lots : 0
  }

  /// Sets the position; zero removes it.
  mutating func set(_ lots: Int64, of instrument: InstrumentID) {
    isStale = true
    let place = place(of: instrument)
    if place < positions.count && positions[place].instrument == instrument {
      if lots == 0 { positions.remove(at: place) } else { positions[place].lots = lots }
    } else if lots != 0 {
      positions.insert(Position(instrument: instrument, lots: lots), at: place)
    }
  }

  /// Where the instrument is, or would be.
  private func place(of instrument: InstrumentID) -> Int {
    var low = 0
    var high = positions.count
    while low < high {
      let middle = (low + high) / 2
      if positions[middle].instrument < instrument { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
