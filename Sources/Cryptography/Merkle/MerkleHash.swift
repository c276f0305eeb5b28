import Bytes

/// A hash function as Merkle trees use it: leaves and nodes are hashed in separate domains, so that no leaf can pass
/// for
/// a node (RFC 6962, section 2.1).
public protocol MerkleHash: Sendable {
  /// Root of the tree without leaves: H of the empty string.
  static var emptyRoot: Digest { get }
  /// H(0x00 ‖ bytes).
  static func leaf(_ bytes: UnsafeRawBufferPointer) -> Digest
  /// H(0x01 ‖ left ‖ right).
  static func node(_ left: Digest, _ right: Digest) -> Digest
}

extension MerkleHash {
  /// H(0x00 ‖ bytes).
  public static func leaf(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { leaf($0) } }
}

/// Trees of the journal's entries, as certificate transparency logs have them.
public enum RFC6962SHA256: MerkleHash {
  public static let emptyRoot = SHA256.hash([])
  public static func leaf(_ bytes: UnsafeRawBufferPointer) -> Digest {
    SHA256.withState { state in
      withUnsafeBytes(of: UInt8(0)) { SHA256.absorb($0, into: &state) }
      SHA256.absorb(bytes, into: &state)
    }
  }
  public static func node(_ left: Digest, _ right: Digest) -> Digest {
    SHA256.withState { state in
      withUnsafeBytes(of: UInt8(1)) { SHA256.absorb($0, into: &state) }
      left.withBytes { SHA256.absorb($0, into: &state) }
      right.withBytes { SHA256.absorb($0, into: &state) }
    }
  }
}

/// Trees whose proofs the settlement layer checks.
public enum RFC6962Keccak: MerkleHash {
  public static let emptyRoot = Keccak256.hash([])
  public static func leaf(_ bytes: UnsafeRawBufferPointer) -> Digest {
    Keccak256.withSponge {
      $0.absorb(0)
      $0.absorb(bytes)
    }
  }
  public static func node(_ left: Digest, _ right: Digest) -> Digest {
    Keccak256.withSponge {
      $0.absorb(1)
      $0.absorb(left)
      $0.absorb(right)
    }
  }
}
