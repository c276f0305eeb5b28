/// Counts the checks of one invariant and keeps the first breaches in words.
package final class Findings {
  /// Breaches that are told in words; the rest are only counted.
  static let mostDetails = 16

  package let invariant: InvariantName
  package private(set) var checks = 0
  package private(set) var breaches = 0
  package private(set) var details: [String] = []

  package init(_ invariant: InvariantName) { self.invariant = invariant }

  /// One check, which must hold.
  package func check(_ holds: Bool, _ detail: @autoclosure () -> String) {
    checks += 1
    if !holds { count(detail) }
  }

  /// Something that must not be there was found.
  package func breach(_ detail: @autoclosure () -> String) { check(false, detail()) }

  /// Checks that were made elsewhere and held.
  package func passed(_ count: Int) { checks += count }

  private func count(_ detail: () -> String) {
    breaches += 1
    if details.count < Self.mostDetails { details.append(detail()) }
  }

  var finding: AuditReport.Invariant {
    AuditReport.Invariant(name: invariant.rawValue, checks: checks, breaches: breaches, details: details)
  }
}

extension [Findings] {
  /// In the order of the design.
  var inOrder: [Findings] {
    InvariantName.allCases.flatMap { name in filter { $0.invariant == name } }
  }
}
