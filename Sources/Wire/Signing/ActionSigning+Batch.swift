import Bytes
import Cryptography
import Market

extension ActionSigning {
  /// A batch action of the account's own key, signed.
  /// - Parameters:
  ///   - expiry: Unix seconds after which the signature is void.
  ///   - underlying: of all the operations' instruments.
  public func signedBatch(
    _ operations: [Operation], account: AccountID, nonce: UInt64, expiry: UInt64, underlying: UnderlyingID,
    key: PrivateKey
  ) throws(SigningError) -> SignedAction {
    let unsigned = SignedActionHeader(
      module: .batch, operationCount: UInt16(operations.count), account: account, nonce: nonce, expiry: expiry,
      underlying: underlying, signer: key.address, owner: key.address,
      signature: .init(r: .zero, s: .zero, recoveryID: 0))
    var action = SignedAction(header: unsigned, operations: operations)
    try sign(&action, with: key)
    return action
  }
}
