import Bytes
import Cryptography

/// The `data` of an action, by its module: a fixed number of ABI words, hashed into the action's struct.
protocol ModuleData {
  static var wordCount: Int { get }
  func write(to words: inout ABIWords)
}

extension ModuleData {
  /// The ABI encoding.
  var abiEncoding: [UInt8] {
    ABIWords.with(words: Self.wordCount) {
      write(to: &$0)
    } read: {
      [UInt8]($0)
    }
  }
  /// Keccak-256 of the ABI encoding; it does not allocate.
  var hash: Digest {
    ABIWords.with(words: Self.wordCount) {
      write(to: &$0)
    } read: {
      Keccak256.hash($0)
    }
  }
}
