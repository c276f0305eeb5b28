import Bytes
import Clearing
import Cluster
import Foundation
import Listing
import Market
import Wire

/// What every command that works on a cluster starts from: its map, its market, its account keys, and a gateway.
public final class ClusterSession {
  public let map: ClusterMap
  public let client: ClusterClient
  public let store: AccountStore
  private var openGateway: GatewayClient?
  private var knownMarket: MarketDefinition?

  /// Finds the cluster through its data directory.
  public init(dataDirectory: String) throws {
    client = try ClusterClient(dataDirectory: dataDirectory)
    map = client.map
    store = AccountStore(directory: map.accountDirectory)
  }

  /// The market as it is now: as the gateway knows it, or, if nobody answers, as the journals have it.
  public var market: MarketDefinition {
    get throws {
      if let knownMarket { return knownMarket }
      let answer = try? gateway().query(.market, MachineID(.gateway, 0), timeoutSeconds: Self.marketSeconds)
      let market = try answer.flatMap { try? MarketDefinition(decoding: $0) } ?? Self.journalledMarket(map)
      knownMarket = market
      return market
    }
  }

  /// Forgets the market, which may have grown.
  func forgetMarket() { knownMarket = nil }

  /// Seconds in which a gateway that is up says what its market is.
  private static let marketSeconds = 1.0

  /// The market of a data directory; no process need run.
  public static func market(dataDirectory: String) throws -> MarketDefinition {
    try ClusterSession(dataDirectory: dataDirectory).market
  }

  /// The market as risk's journal has it; as it was opened, where risk has not begun one.
  private static func journalledMarket(_ map: ClusterMap) throws -> MarketDefinition {
    let opened = try openedListing(map).market
    let directory = try JournalCopies(of: .risk, in: map.journalDirectories(of: .risk)).latest()
    guard FileManager.default.fileExists(atPath: directory) else { return opened }
    let risk: RiskMachine = try MachineRecovery.read(.risk, directory: directory)
    return risk.market.instruments.count > opened.instruments.count ? risk.market : opened
  }

  /// The market as it was opened, with what marks are made of.
  static func openedListing(_ map: ClusterMap) throws -> Listing {
    let path = map.listingFile
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

  /// An instrument by its number.
  func instrument(_ id: InstrumentID) throws -> Instrument? { try market[id] }

  /// A currency by its name.
  public func currency(named name: String) throws -> Currency {
    let market = try market
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
