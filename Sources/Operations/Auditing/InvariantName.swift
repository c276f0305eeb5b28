/// What must always be true, by the names that reports carry, in the order of the design.
public enum InvariantName: String, Codable, Sendable, CaseIterable {
  case acknowledgedOnce = "acknowledged_once"
  case deterministic
  case credit
  case conservation
  case oneOwner = "one_owner"
  case rootChain = "root_chain"
  case exit
  case solvency
  case orderTerms = "order_terms"
  case streams
  case positions
  case liveness
}
