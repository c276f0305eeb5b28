/// Keccak-f[1600] (FIPS 202, section 3): 24 rounds over 25 lanes held in registers, each step unrolled, because a loop
/// over the lanes costs about twice as much.
enum KeccakPermutation {
  private static let roundConstants: [UInt64] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
    0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
  ]

  @inline(__always)
  private static func rotate(_ lane: UInt64, _ bits: UInt64) -> UInt64 { lane &<< bits | lane &>> (64 &- bits) }

  /// Permutes the 25 lanes at `lanes`, which are little-endian in memory. Lane x, y stands at x + 5y; the letters are
  /// those of FIPS 202: `c` and `d` belong to θ, `b` is the state after ρ and π, the lines that set `a` are χ and ι.
  static func apply(to lanes: UnsafeMutablePointer<UInt64>) {
    @inline(__always) func load(_ index: Int) -> UInt64 { UInt64(littleEndian: lanes[index]) }
    @inline(__always) func store(_ index: Int, _ lane: UInt64) { lanes[index] = lane.littleEndian }
    var (a0, a1, a2, a3, a4) = (load(0), load(1), load(2), load(3), load(4))
    var (a5, a6, a7, a8, a9) = (load(5), load(6), load(7), load(8), load(9))
    var (a10, a11, a12, a13, a14) = (load(10), load(11), load(12), load(13), load(14))
    var (a15, a16, a17, a18, a19) = (load(15), load(16), load(17), load(18), load(19))
    var (a20, a21, a22, a23, a24) = (load(20), load(21), load(22), load(23), load(24))
    roundConstants.withUnsafeBufferPointer { constants in
      for constant in constants {
        let c0 = a0 ^ a5 ^ a10 ^ a15 ^ a20
        let c1 = a1 ^ a6 ^ a11 ^ a16 ^ a21
        let c2 = a2 ^ a7 ^ a12 ^ a17 ^ a22
        let c3 = a3 ^ a8 ^ a13 ^ a18 ^ a23
        let c4 = a4 ^ a9 ^ a14 ^ a19 ^ a24
        let d0 = c4 ^ rotate(c1, 1)
        let d1 = c0 ^ rotate(c2, 1)
        let d2 = c1 ^ rotate(c3, 1)
        let d3 = c2 ^ rotate(c4, 1)
        let d4 = c3 ^ rotate(c0, 1)
        let b0 = a0 ^ d0
        let b10 = rotate(a1 ^ d1, 1)
        let b20 = rotate(a2 ^ d2, 62)
        let b5 = rotate(a3 ^ d3, 28)
        let b15 = rotate(a4 ^ d4, 27)
        let b16 = rotate(a5 ^ d0, 36)
        let b1 = rotate(a6 ^ d1, 44)
        let b11 = rotate(a7 ^ d2, 6)
        let b21 = rotate(a8 ^ d3, 55)
        let b6 = rotate(a9 ^ d4, 20)
        let b7 = rotate(a10 ^ d0, 3)
        let b17 = rotate(a11 ^ d1, 10)
        let b2 = rotate(a12 ^ d2, 43)
        let b12 = rotate(a13 ^ d3, 25)
        let b22 = rotate(a14 ^ d4, 39)
        let b23 = rotate(a15 ^ d0, 41)
        let b8 = rotate(a16 ^ d1, 45)
        let b18 = rotate(a17 ^ d2, 15)
        let b3 = rotate(a18 ^ d3, 21)
        let b13 = rotate(a19 ^ d4, 8)
        let b14 = rotate(a20 ^ d0, 18)
        let b24 = rotate(a21 ^ d1, 2)
        let b9 = rotate(a22 ^ d2, 61)
        let b19 = rotate(a23 ^ d3, 56)
        let b4 = rotate(a24 ^ d4, 14)
        (a0, a1, a2) = (b0 ^ (~b1 & b2) ^ constant, b1 ^ (~b2 & b3), b2 ^ (~b3 & b4))
        (a3, a4) = (b3 ^ (~b4 & b0), b4 ^ (~b0 & b1))
        (a5, a6, a7) = (b5 ^ (~b6 & b7), b6 ^ (~b7 & b8), b7 ^ (~b8 & b9))
        (a8, a9) = (b8 ^ (~b9 & b5), b9 ^ (~b5 & b6))
        (a10, a11, a12) = (b10 ^ (~b11 & b12), b11 ^ (~b12 & b13), b12 ^ (~b13 & b14))
        (a13, a14) = (b13 ^ (~b14 & b10), b14 ^ (~b10 & b11))
        (a15, a16, a17) = (b15 ^ (~b16 & b17), b16 ^ (~b17 & b18), b17 ^ (~b18 & b19))
        (a18, a19) = (b18 ^ (~b19 & b15), b19 ^ (~b15 & b16))
        (a20, a21, a22) = (b20 ^ (~b21 & b22), b21 ^ (~b22 & b23), b22 ^ (~b23 & b24))
        (a23, a24) = (b23 ^ (~b24 & b20), b24 ^ (~b20 & b21))
      }
    }
    store(0, a0)
    store(1, a1)
    store(2, a2)
    store(3, a3)
    store(4, a4)
    store(5, a5)
    store(6, a6)
    store(7, a7)
    store(8, a8)
    store(9, a9)
    store(10, a10)
    store(11, a11)
    store(12, a12)
    store(13, a13)
    store(14, a14)
    store(15, a15)
    store(16, a16)
    store(17, a17)
    store(18, a18)
    store(19, a19)
    store(20, a20)
    store(21, a21)
    store(22, a22)
    store(23, a23)
    store(24, a24)
  }
}
