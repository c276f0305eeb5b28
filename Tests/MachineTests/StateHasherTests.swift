import Bytes
import Machine
import Testing

struct StateHasherTests {
  private func hash(_ body: (inout StateHasher) -> Void) -> UInt64 {
    var hasher = StateHasher()
    body(&hasher)
    return hasher.value
  }
  private func hash(_ values: [UInt64]) -> UInt64 {
    hash { hasher in for value in values { hasher.combine(value) } }
  }
  private func hash(_ bytes: [UInt8]) -> UInt64 { hash { hasher in bytes.withUnsafeBytes { hasher.combine($0) } } }

  @Test func equalStatesGiveEqualHashes() {
    let values = (0..<1_000).map { UInt64($0) &* 0x9E37_79B9 }
    #expect(hash(values) == hash(values))
    #expect(hash { $0.combine(Int64(-5)) } == hash { $0.combine(UInt64(bitPattern: -5)) })
  }

  /// Pinned: a hash that changed would make yesterday's journals look diverged.
  @Test func theHashIsTheSameOnEveryMachineForEver() {
    #expect(hash([UInt64]()) == 8_869_647_832_635_437_842)
    #expect(hash([1, 2, 3] as [UInt64]) == 3_847_634_188_216_616_535)
    #expect(hash(Array("Novation".utf8)) == 10_594_902_457_316_764_223)
  }

  @Test func askingForTheValueChangesNothing() {
    var hasher = StateHasher()
    hasher.combine(UInt64(1))
    let first = hasher.value
    #expect(hasher.value == first)
    hasher.combine(UInt64(2))
    #expect(hasher.value == hash([1, 2] as [UInt64]))
  }

  @Test func everyBitOfEveryFieldCounts() {
    let values: [UInt64] = [0, 1, .max, 0x0123_4567_89AB_CDEF]
    var seen: Set<UInt64> = [hash(values)]
    for index in values.indices {
      for bit in 0..<64 {
        var other = values
        other[index] ^= 1 << UInt64(bit)
        seen.insert(hash(other))
      }
    }
    #expect(seen.count == 1 + 4 * 64)
  }

  @Test func orderAndNumberOfFieldsCount() {
    #expect(hash([1, 2] as [UInt64]) != hash([2, 1] as [UInt64]))
    let zeros = (0..<64).map { hash([UInt64](repeating: 0, count: $0)) }
    #expect(Set(zeros).count == zeros.count)
  }

  @Test func bytesCountWithTheirLengthAndPlace() {
    var seen: Set<UInt64> = []
    for length in 0..<64 { seen.insert(hash([UInt8](repeating: 0, count: length))) }
    #expect(seen.count == 64)
    let bytes = [UInt8](0..<19)
    for bit in 0..<(19 * 8) {
      var other = bytes
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(hash(other) != hash(bytes), "bit \(bit)")
    }
    let joined = hash { hasher in
      [1, 2].withUnsafeBytes { hasher.combine($0) }
      [3].withUnsafeBytes { hasher.combine($0) }
    }
    let split = hash { hasher in
      [1].withUnsafeBytes { hasher.combine($0) }
      [2, 3].withUnsafeBytes { hasher.combine($0) }
    }
    #expect(joined != split)
  }
}
