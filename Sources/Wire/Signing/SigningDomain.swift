import Bytes
import Cryptography
import Market

/// The EIP-712 domain that actions are signed in: a signature for one chain, contract or venue is void in another.
public struct SigningDomain: Sendable, Hashable {
  public static let defaultName = "Matching"
  public static let defaultVersion = "1.0"

  public var name: String
  public var version: String
  public var chainID: UInt64
  public var verifyingContract: Address

  public init(
    name: String = defaultName, version: String = defaultVersion, chainID: UInt64, verifyingContract: Address
  ) {
    self.name = name
    self.version = version
    self.chainID = chainID
    self.verifyingContract = verifyingContract
  }

  /// The domain of a market, by its chain and contract.
  public init(
    _ parameters: MarketParameters, name: String = defaultName, version: String = defaultVersion
  ) {
    self.init(
      name: name, version: version, chainID: parameters.chainID, verifyingContract: parameters.verifyingContract)
  }

  private static let typeHash = Keccak256.hash(
    Array("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)".utf8))

  /// keccak(type hash ‖ keccak(name) ‖ keccak(version) ‖ chain id ‖ contract).
  public var separator: Digest {
    ABIWords.with(words: 5) { words in
      words.digest(Self.typeHash)
      words.digest(Keccak256.hash(Array(name.utf8)))
      words.digest(Keccak256.hash(Array(version.utf8)))
      words.unsigned(chainID)
      words.address(verifyingContract)
    } read: {
      Keccak256.hash($0)
    }
  }

  /// What is signed: keccak(0x1901 ‖ domain separator ‖ struct hash).
  static func digest(separator: Digest, structHash: Digest) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: 66, alignment: 8) { message in
      message[0] = 0x19
      message[1] = 0x01
      separator.withBytes { (message.baseAddress! + 2).copyMemory(from: $0.baseAddress!, byteCount: 32) }
      structHash.withBytes { (message.baseAddress! + 34).copyMemory(from: $0.baseAddress!, byteCount: 32) }
      return Keccak256.hash(UnsafeRawBufferPointer(message))
    }
  }
}
