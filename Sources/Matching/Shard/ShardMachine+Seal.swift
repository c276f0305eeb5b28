import Bytes
import Cryptography
import Machine
import Market

extension ShardMachine {
  /// Ends the epoch and answers with its commitment. The state hash in it is taken when the epoch's deltas are cleared
  /// and the epoch has advanced, but before the commitment itself is numbered on its stream.
  mutating func seal(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let seal = try? Seal(decoding: payload), seal.epoch == epoch, epoch.rawValue < .max else { return }
    var commitment = Commitment(machine: id, seal: seal)
    commitment.fillNumber = fillNumber
    commitment.fillRoot = fillRoot()
    commitment.ledger = takeLedgerDeltas()
    commitment.positions = takePositionDeltas()
    epochFills.clear()
    epoch = epoch.next
    #if NOVATION_PLANT
      if faults.contains(.keepStaleEpoch) { epoch = seal.epoch }
    #endif
    commitment.stateHash = stateHash()
    output.send(commitment, to: .settlement, &streams)
  }

  /// RFC 6962-shaped Keccak root over the encoded fills of the epoch; zero if there were none.
  private func fillRoot() -> Digest {
    let bytes = epochFills.bytes
    return bytes.isEmpty ? .zero : MerkleTree<RFC6962Keccak>.root(blocks: bytes, of: Fill.byteCount)
  }

  /// The epoch's ledger movements in order of (account, currency), which start anew.
  private mutating func takeLedgerDeltas() -> [Commitment.LedgerDelta] {
    var deltas: [Commitment.LedgerDelta] = []
    for slot in movedAccounts.sorted(by: { accounts[$0].id < accounts[$1].id }) {
      for (place, currency) in currencies.enumerated().sorted(by: { $0.element < $1.element })
      where ledger[slot, place] != 0 {
        deltas.append(
          Commitment.LedgerDelta(
            account: accounts[slot].id, currency: currency, amount: Money(units: ledger[slot, place])))
        ledger[slot, place] = 0
      }
      accounts[slot].movedInEpoch = false
    }
    movedAccounts.removeAll(keepingCapacity: true)
    return deltas
  }

  /// The epoch's position movements in order of (account, instrument), which start anew. Positions that are gone leave
  /// the table.
  private mutating func takePositionDeltas() -> [Commitment.PositionDelta] {
    var deltas: [Commitment.PositionDelta] = []
    for slot in movedPositions {
      let position = positions[slot]
      if position.lots != position.lotsAtEpochStart {
        deltas.append(
          Commitment.PositionDelta(
            account: accounts[position.accountSlot].id, instrument: books[Int(position.book)].instrument,
            lots: Lots(position.lots - position.lotsAtEpochStart)))
      }
      positions[slot].lotsAtEpochStart = position.lots
      positions[slot].movedInEpoch = false
      if position.lots == 0, position.newestReducing | position.newestQuote == 0 {
        positionTable.remove(positionTable.hash(UInt64(position.accountSlot), UInt64(position.book)), slot)
        positions[slot].isLive = false
        positions.remove(slot)
      }
    }
    movedPositions.removeAll(keepingCapacity: true)
    return deltas.sorted { ($0.account, $0.instrument) < ($1.account, $1.instrument) }
  }
}
