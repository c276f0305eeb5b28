/// Keccak-256 by the letter of FIPS 202: coordinates, generated offsets and constants; no step shared with the product.
enum TextbookKeccak {
  static func hash(_ message: [UInt8]) -> [UInt8] {
    var padded = message + [0x01]
    while padded.count % 136 != 0 { padded.append(0) }
    padded[padded.count - 1] |= 0x80
    var state = [[UInt64]](repeating: [UInt64](repeating: 0, count: 5), count: 5)
    for block in stride(from: 0, to: padded.count, by: 136) {
      for index in 0..<136 {
        state[index / 8 % 5][index / 40] ^= UInt64(padded[block + index]) << UInt64(index % 8 * 8)
      }
      permute(&state)
    }
    return (0..<32).map { UInt8(truncatingIfNeeded: state[$0 / 8][0] >> UInt64($0 % 8 * 8)) }
  }

  private static func rotate(_ lane: UInt64, _ bits: Int) -> UInt64 {
    bits % 64 == 0 ? lane : lane << UInt64(bits % 64) | lane >> UInt64(64 - bits % 64)
  }

  private static func permute(_ a: inout [[UInt64]]) {
    var register: UInt8 = 1
    for _ in 0..<24 {
      let c = (0..<5).map { x in a[x].reduce(0, ^) }
      for x in 0..<5 {
        let d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1)
        for y in 0..<5 { a[x][y] ^= d }
      }
      var b = a
      b[0][0] = a[0][0]
      var (x, y) = (1, 0)
      for t in 0..<24 {
        b[y][(2 * x + 3 * y) % 5] = rotate(a[x][y], (t + 1) * (t + 2) / 2)
        (x, y) = (y, (2 * x + 3 * y) % 5)
      }
      for x in 0..<5 {
        for y in 0..<5 { a[x][y] = b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y]) }
      }
      for j in 0...6 {
        if register & 1 == 1 { a[0][0] ^= 1 << ((1 << UInt64(j)) - 1) }
        register = register & 0x80 != 0 ? register << 1 ^ 0x71 : register << 1
      }
    }
  }
}
