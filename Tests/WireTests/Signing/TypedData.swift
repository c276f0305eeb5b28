import Bytes
import Cryptography

/// EIP-712 for any types, from JSON, as the standard defines it; only the vectors need more than our one struct.
struct TypedData {
  let json: JSON

  var domainSeparator: Digest { hash("EIP712Domain", json["domain"]) }
  var structHash: Digest { hash(json["primaryType"].string, json["message"]) }
  var digest: Digest { Keccak256.hash([0x19, 0x01] + domainSeparator.array + structHash.array) }

  private func fields(_ type: String) -> [(name: String, type: String)] {
    json["types"][type].items.map { ($0["name"].string, $0["type"].string) }
  }

  /// The struct types that `type` refers to, itself not included.
  private func references(_ type: String, _ found: inout Set<String>) {
    for field in fields(type) where json["types"][field.type].exists && found.insert(field.type).inserted {
      references(field.type, &found)
    }
  }

  private func encodedType(_ type: String) -> String {
    var others: Set<String> = []
    references(type, &others)
    others.remove(type)
    return ([type] + others.sorted()).map { type in
      "\(type)(" + fields(type).map { "\($0.type) \($0.name)" }.joined(separator: ",") + ")"
    }.joined()
  }

  private func hash(_ type: String, _ value: JSON) -> Digest {
    let words = fields(type).flatMap { word($0.type, value[$0.name]) }
    return Keccak256.hash(Keccak256.hash(Array(encodedType(type).utf8)).array + words)
  }

  private func word(_ type: String, _ value: JSON) -> [UInt8] {
    if json["types"][type].exists { return hash(type, value).array }
    if type.hasSuffix("[]") {
      return Keccak256.hash(value.items.flatMap { word(String(type.dropLast(2)), $0) }).array
    }
    switch type {
    case "string": return Keccak256.hash(Array(value.string.utf8)).array
    case "bytes": return Keccak256.hash(Hexadecimal.decode(value.string)!).array
    case "bytes32": return Hexadecimal.decode(value.string)!
    case "address": return [UInt8](repeating: 0, count: 12) + Hexadecimal.decode(value.string)!
    case "bool": return [UInt8](repeating: 0, count: 31) + [value.isTrue ? 1 : 0]
    case let type where type.hasPrefix("uint"): return Digest(decimal: value.string).array
    default: fatalError("the vectors use a type unknown here: \(type)")
    }
  }
}

extension Digest {
  /// A `uint256` from its decimal digits.
  init(decimal text: String) {
    var bytes = [UInt8](repeating: 0, count: 32)
    for digit in text.utf8 {
      var carry = Int(digit - UInt8(ascii: "0"))
      for index in bytes.indices.reversed() {
        carry += Int(bytes[index]) * 10
        bytes[index] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
    }
    self.init(bytes)
  }

  /// A number from its hexadecimal digits, which may lack leading zeros.
  init(paddedHexadecimal text: String) {
    let digits = text.dropFirst(2)
    self.init(hexadecimal: String(repeating: "0", count: 64 - digits.count) + digits)!
  }
}
