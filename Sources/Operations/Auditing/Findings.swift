/// Counts the checks of one invariant and keeps the first breaches in words.
final class Findings {
  /// Breaches that are told in words; the rest are only counted.
  static let mostDetails = 16

  let invariant: InvariantName
  private(set) var checks = 0
  private(set) var breaches = 0
  private(set) var details: [String] = []

  init(_ invariant: InvariantName) { self.invariant = invariant }

  /// One check, which must hold.
  func check(_ holds: Bool, _ detail: @autoclosure () -> String) {
    checks += 1
    if !holds { count(detail) }
  }

  /// Something that must not be there was found.
  func breach(_ detail: @autoclosure () -> String) { check(false, detail()) }

  /// Checks that were made elsewhere and held.
  func passed(_ count: Int) { checks += count }

  private func count(_ detail: () -> String) {
    breaches += 1
    if details.count < Self.mostDetails { details.append(detail()) }
  }

  var finding: AuditReport.Invariant {
    AuditReport.Invariant(name: invariant.rawValue, checks: checks, breaches: breaches, details: details)
  }
}
