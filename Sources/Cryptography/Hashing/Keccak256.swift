import Bytes

/// Keccak-256 as Ethereum uses it: rate 136 bytes, padding byte 0x01 (not the 0x06 of SHA3-256). It never allocates.
public enum Keccak256 {
  /// The hash of `bytes`.
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
    withSponge { $0.absorb(bytes) }
  }
  /// The hash of `bytes`.
  public static func hash(_ bytes: [UInt8]) -> Digest {
    bytes.withUnsafeBytes { hash($0) }
  }
  /// The hash of `a`‖`b`.
  public static func hash(_ a: Digest, _ b: Digest) -> Digest {
    withSponge {
      $0.absorb(a)
      $0.absorb(b)
    }
  }

  /// Hashes what `body` absorbs; the state lives on the stack.
  @inline(__always)
  static func withSponge(_ body: (inout KeccakSponge) -> Void) -> Digest {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: KeccakSponge.lanes) { state in
      state.initialize(repeating: 0)
      var sponge = KeccakSponge(state: state.baseAddress!)
      body(&sponge)
      return sponge.finish()
    }
  }
}

/// The sponge between its first byte and its digest, over 25 lanes that its maker owns. Lanes are kept in memory as
/// little-endian bytes, so input is exclusive-ored in at any offset.
struct KeccakSponge {
  static let lanes = 25
  /// Bytes absorbed between two permutations.
  static let rate = 136

  private let state: UnsafeMutablePointer<UInt64>
  /// Bytes absorbed since the last permutation; always below the rate.
  private var filled = 0

  /// `state` points to 25 zero lanes.
  init(state: UnsafeMutablePointer<UInt64>) { self.state = state }

  @inline(__always)
  mutating func absorb(_ byte: UInt8) {
    let bytes = UnsafeMutableRawPointer(state).assumingMemoryBound(to: UInt8.self)
    bytes[filled] ^= byte
    advance(by: 1)
  }

  @inline(__always)
  mutating func absorb(_ digest: Digest) { digest.withBytes { absorb($0) } }

  @inline(__always)
  mutating func absorb(_ bytes: UnsafeRawBufferPointer) {
    let raw = UnsafeMutableRawPointer(state)
    var index = 0
    while index < bytes.count {
      if bytes.count - index >= 8, filled <= Self.rate - 8 {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let mixed = raw.loadUnaligned(fromByteOffset: filled, as: UInt64.self) ^ word
        withUnsafeBytes(of: mixed) { (raw + filled).copyMemory(from: $0.baseAddress!, byteCount: 8) }
        advance(by: 8)
        index += 8
      } else {
        absorb(bytes[index])
        index += 1
      }
    }
  }

  @inline(__always)
  private mutating func advance(by count: Int) {
    filled += count
    if filled == Self.rate {
      KeccakPermutation.apply(to: state)
      filled = 0
    }
  }

  @inline(__always)
  mutating func finish() -> Digest {
    let bytes = UnsafeMutableRawPointer(state).assumingMemoryBound(to: UInt8.self)
    bytes[filled] ^= 0x01
    bytes[Self.rate - 1] ^= 0x80
    KeccakPermutation.apply(to: state)
    return Digest(UnsafeRawBufferPointer(start: state, count: 32))
  }
}
