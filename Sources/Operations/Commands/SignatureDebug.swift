import Bytes
import Foundation
import Market
import Wire

/// Every stage of an action's hash, so that a client whose signature is refused sees where its own differs.
public struct SignatureDebug: CommandReport {
  public var module: String
  public var account: UInt32
  public var nonce: UInt64
  public var expiry: UInt64
  public var signer: String
  /// The `Action` type's hash.
  public var typeHash: String
  public var encodedData: String
  public var dataHash: String
  public var structHash: String
  public var domainSeparator: String
  public var digest: String
  /// Absent when there is no canonical signature.
  public var recoveredSigner: String?
  /// Whether the signature is the signer's.
  public var isValid: Bool
  private var hasSignature: Bool

  private enum CodingKeys: String, CodingKey {
    case module, account, nonce, expiry, signer, typeHash, encodedData, dataHash, structHash, domainSeparator, digest
    case recoveredSigner, isValid
  }

  /// Good without a signature too: then only the stages were asked for.
  public var isGood: Bool { isValid || !hasSignature }

  /// - Parameter input: hexadecimal of an encoded `SignedAction`, or JSON of a trade in Derive's form.
  public init(input: String, market: MarketDefinition) throws {
    let text = input.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else {
      throw CommandMistake("standard input is empty; give the hexadecimal of a signed action, or a trade as JSON")
    }
    let signing = ActionSigning(market: market)
    let action = try text.hasPrefix("{") ? TradeText.action(text, market) : Self.action(hexadecimal: text)
    let stages: SigningStages
    do {
      stages = try action.withView { view throws(SigningError) in try signing.stages(of: view) }
    } catch {
      throw CommandMistake("\(error)")
    }
    let header = action.header
    module = "\(header.module)"
    account = header.account.rawValue
    nonce = header.nonce
    expiry = header.expiry
    signer = header.signer.description
    typeHash = ActionSigning.typeHash.description
    encodedData = "0x" + Hexadecimal.encode(stages.encodedData)
    dataHash = stages.dataHash.description
    structHash = stages.structHash.description
    domainSeparator = stages.domainSeparator.description
    digest = stages.digest.description
    hasSignature = header.signature.r != .zero || header.signature.s != .zero
    recoveredSigner = hasSignature ? stages.recoveredSigner?.description : nil
    isValid = hasSignature && stages.recoveredSigner == header.signer
  }

  private static func action(hexadecimal text: String) throws -> SignedAction {
    guard let bytes = Hexadecimal.decode(text) else {
      throw CommandMistake("standard input: neither JSON nor an even number of hexadecimal digits")
    }
    guard let action = try? SignedAction(decoding: bytes) else {
      throw CommandMistake(
        "standard input: \(bytes.count) bytes are not a signed action, which has \(SignedActionHeader.byteCount) bytes "
          + "of header and \(Market.Operation.byteCount) an operation")
    }
    return action
  }

  public var text: String {
    let verdict =
      isValid
      ? "the signature is the signer's"
      : !hasSignature
        ? "no signature was given"
        : recoveredSigner == nil
          ? "the signature is not canonical: r and s in range, s at most half the order, v 27 or 28"
          : "THE SIGNATURE IS NOT THE SIGNER'S: another key, or a hash that differs from one of the stages above"
    return """
      \(module) action of account \(account), nonce \(nonce), expiry \(expiry)
      type hash         \(typeHash)
      encoded data      \(encodedData)
      data hash         \(dataHash)
      struct hash       \(structHash)
      domain separator  \(domainSeparator)
      digest            \(digest)
      signer            \(signer)
      recovered signer  \(recoveredSigner ?? "none")
      \(verdict)
      """
  }
}

/// A single trade as clients of Derive's form write it in JSON. Decimals are text or numbers of at most 8 places.
struct TradeText: Decodable {
  var subaccount_id: UInt32
  var nonce: UInt64
  var instrument_name: String
  /// `buy` or `sell`.
  var direction: String
  var limit_price: String
  var amount: String
  var max_fee: String
  var signature_expiry_sec: UInt64
  var signer: String
  /// The signer, unless given.
  var owner: String?
  /// 65 bytes r, s, v in hexadecimal.
  var signature: String?

  static let example = """
    {"subaccount_id":1,"nonce":1,"instrument_name":"BTC-PERPETUAL","direction":"buy","limit_price":"100000",\
    "amount":"10","max_fee":"1000","signature_expiry_sec":1800000000,"signer":"0x…","signature":"0x…"}
    """

  static func action(_ text: String, _ market: MarketDefinition) throws -> SignedAction {
    let trade: TradeText
    do {
      trade = try JSONDecoder().decode(TradeText.self, from: Data(text.utf8))
    } catch let error as DecodingError {
      throw CommandMistake("standard input: \(error.place); a trade reads \(example)")
    }
    return try trade.action(in: market)
  }

  private func action(in market: MarketDefinition) throws -> SignedAction {
    let listed = try market.listed(instrument_name)
    guard let side = Side.allCases.first(where: { "\($0)" == direction }) else {
      throw CommandMistake("direction \(direction): it must be buy or sell")
    }
    let operation: Market.Operation
    let maximumFee: Money = try decimal(max_fee, "max_fee")
    do {
      let data = try TradeData(
        asset: listed.asset, subID: listed.subID, limitPrice: try decimal(limit_price, "limit_price"),
        amount: try decimal(amount, "amount"), maximumFee: maximumFee,
        recipient: AccountID(subaccount_id), side: side)
      operation = try ActionSigning(market: market).order(data, account: AccountID(subaccount_id)).operation
    } catch let error as SigningError {
      throw CommandMistake("\(error)")
    }
    let header = SignedActionHeader(
      module: .trade, operationCount: 1, account: AccountID(subaccount_id), nonce: nonce,
      expiry: signature_expiry_sec, underlying: listed.underlying, signer: try address(signer, "signer"),
      owner: try address(owner ?? signer, "owner"), signature: try recoverable(), maximumFee: maximumFee)
    return SignedAction(header: header, operations: [operation])
  }

  private func decimal<Value: FixedPoint>(_ text: String, _ field: String) throws -> Value {
    guard let value = Value(text) else {
      throw CommandMistake("\(field) \(text): it must be a decimal of at most 8 places")
    }
    return value
  }

  private func address(_ text: String, _ field: String) throws -> Address {
    guard let address = Address(hexadecimal: text) else {
      throw CommandMistake("\(field) \(text): it must be an address, 40 hexadecimal digits")
    }
    return address
  }

  private func recoverable() throws -> RecoverableSignature {
    guard let signature else { return RecoverableSignature(r: .zero, s: .zero, recoveryID: 0) }
    guard let bytes = Hexadecimal.decode(signature), bytes.count == 65 else {
      throw CommandMistake("signature: it must be 65 bytes r, s, v in hexadecimal")
    }
    let v = bytes[64]
    guard v == 27 || v == 28 || v <= 1 else { throw CommandMistake("signature: v is \(v); it must be 27 or 28") }
    return RecoverableSignature(
      r: Digest(Array(bytes[..<32])), s: Digest(Array(bytes[32..<64])), recoveryID: v >= 27 ? v - 27 : v)
  }
}

extension DecodingError {
  /// The field that is wrong, in a few words.
  var place: String {
    switch self {
    case .keyNotFound(let key, _): "the field \(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "the field \(context.codingPath.map(\.stringValue).joined(separator: ".")) has the wrong type"
    default: "not JSON"
    }
  }
}
