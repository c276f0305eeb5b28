/// Bytes as lower-case hexadecimal text, as on the settlement layer and in logs.
public enum Hexadecimal {
  private static let digits = [UInt8]("0123456789abcdef".utf8)

  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Bytes of an even number of digits, with or without `0x`; `nil` for anything else.
  public static func decode(_ text: String) -> [UInt8]? {
    let digits = text.hasPrefix("0x") ? text.utf8.dropFirst(2) : text.utf8.dropFirst(0)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in digits {
      guard let value = value(of: digit) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension Digest: CustomStringConvertible {
  public var description: String { "0x" + Hexadecimal.encode(array) }
  public init?(hexadecimal text: String) {
    guard let bytes = Hexadecimal.decode(text), bytes.count == 32 else { return nil }
    self.init(bytes)
  }
}

extension Address: CustomStringConvertible {
  public var description: String { "0x" + Hexadecimal.encode(array) }
  public init?(hexadecimal text: String) {
    guard let bytes = Hexadecimal.decode(text), bytes.count == 20 else { return nil }
    self.init(bytes)
  }
}
