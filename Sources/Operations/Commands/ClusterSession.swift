import Bytes
import Cluster
import Foundation
import Listing
import Market
import Wire

/// What every command that works on a cluster starts from: its map, its market, its account keys, and a gateway.
public final class ClusterSession {
  public let map: ClusterMap
  public let market: MarketDefinition
  public let client: ClusterClient
  public let store: AccountStore
  private var openGateway: GatewayClient?

  /// Finds the cluster through its data directory.
  public init(dataDirectory: String) throws {
    client = try ClusterClient(dataDirectory: dataDirectory)
    map = client.map
    market = try Self.market(dataDirectory: dataDirectory)
    store = AccountStore(directory: map.accountDirectory)
  }

  /// The market that was opened in a data directory; no process need run.
  public static func market(dataDirectory: String) throws -> MarketDefinition {
    try listing(dataDirectory: dataDirectory).market
  }

  /// The listing that was opened in a data directory; no process need run.
  public static func listing(dataDirectory: String) throws -> Listing {
    let path = try ClusterMap.load(dataDirectory: dataDirectory).listingFile
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandMistake("\(path): cannot be read; it holds the market and is written at the first opening")
    }
    guard let listing = try? Listing(decoding: [UInt8](data)) else {
      throw CommandMistake("\(path): not a listing of format version \(Listing.formatVersion)")
    }
    return listing
  }

  /// The connection to the first gateway.
  public func gateway() throws -> GatewayClient {
    if let openGateway { return openGateway }
    let gateway = try client.gateway()
    openGateway = gateway
    return gateway
  }

  /// Asks a machine through the gateway; its refusal, or its silence, is a refused command.
  func ask(_ kind: Query.Kind, _ machine: MachineID, _ body: [UInt8] = []) throws -> [UInt8] {
    do {
      return try gateway().query(kind, machine, body)
    } catch let error as ClientError {
      throw CommandRefused(error.reason)
    }
  }

  func ask<Value: Decodable>(_ type: Value.Type, _ kind: Query.Kind, _ machine: MachineID, _ body: [UInt8]) throws
    -> Value
  {
    let answer = try ask(kind, machine, body)
    do {
      return try JSONDecoder().decode(type, from: Data(answer))
    } catch {
      throw CommandRefused("\(machine) answered what this build cannot read; is it of the same version?")
    }
  }

  // MARK: Names

  /// An instrument by its name.
  public func instrument(named name: String) throws -> Instrument { try market.listed(name) }

  /// A currency by its name.
  public func currency(named name: String) throws -> Currency {
    guard let index = market.currencies.firstIndex(where: { $0.name == name.uppercased() }) else {
      throw CommandMistake(
        "currency \(name): not one of this market's, which are "
          + market.currencies.map(\.name).joined(separator: ", "))
    }
    return Currency(UInt8(index))
  }
}

extension MarketDefinition {
  /// The instrument of that name, or a mistake that names those that are near.
  func listed(_ name: String) throws -> Instrument {
    if let found = instrument(named: name.uppercased()) ?? instrument(named: name) { return found }
    throw CommandMistake(
      "instrument \(name): not listed"
        + NearNames.hint(name, among: instruments.map(\.name), otherwise: "see novation instruments list"))
  }
}
