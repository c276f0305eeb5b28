import Market

/// Every code with which an operation or an order may end.
public struct OutcomeList: CommandReport {
  public struct Entry: Encodable, Sendable {
    public var code: UInt16
    public var name: String
    public var text: String
    public var isAccepted: Bool
    /// `client`, `account` or `venue`: whose it is to mend a refusal; `none` where there is nothing to mend.
    public var remedy: String
  }
  public var outcomes: [Entry]

  public init() {
    outcomes = Outcome.allCases.sorted { $0.rawValue < $1.rawValue }.map {
      Entry(
        code: $0.rawValue, name: $0.name, text: $0.text, isAccepted: $0.isAccepted, remedy: $0.remedy.rawValue)
    }
  }

  public var text: String {
    let width = outcomes.map(\.name.count).max() ?? 0
    let lines = outcomes.map { entry in
      let space = String(repeating: " ", count: width - entry.name.count)
      let remedy = entry.remedy == "none" ? "-" : entry.remedy
      return "\(entry.code)  \(entry.name)\(space)  \(remedy)\(String(repeating: " ", count: 7 - remedy.count))  "
        + entry.text
    }
    return lines.joined(separator: "\n")
  }
}
