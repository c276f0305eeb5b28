import Market

/// The one place that says who owns which machine, and which nodes are alive: the supervisor of a cluster on one host,
/// etcd on several.
///
/// Every call ends within the authority's time limit, by an answer or by an error. A call that ended by `unreachable`
/// may have been done; all of them may be asked again, a compare-and-swap included: it counts as done when what stands
/// says what was asked for and was written after `expected`.
public protocol Authority: Sendable {
  /// What it is called in messages: "the supervisor", "etcd at 10.0.0.1:2379".
  var name: String { get }

  /// What is held about `machine`; `nil` if nothing ever was.
  func ownership(of machine: MachineID) async throws(AuthorityError) -> Ownership?

  /// Replaces the record of `record.machine` if its revision is still `expected`; 0 only if there is none yet.
  /// `record.revision` does not matter: the answer holds the new one.
  func replace(_ record: Ownership, expecting expected: UInt64) async throws(AuthorityError) -> Replacement

  /// A lease that says that `node` is alive, instead of the one that it had.
  func grantLease(node: String, milliseconds: Int) async throws(AuthorityError) -> Lease

  /// The lease, counted anew from when this was asked.
  /// - Throws: `lapsed` once it has ended.
  func renew(_ lease: Lease) async throws(AuthorityError) -> Lease

  /// Ends a lease before its time, at an orderly stop; one that has ended already is no error.
  func release(_ lease: Lease) async throws(AuthorityError)

  /// Whether `node` holds a lease that has neither run out nor been ended.
  func isAlive(node: String) async throws(AuthorityError) -> Bool

  /// Tells of everything that stands, then of every change in order, until the watch is cancelled or let go of.
  ///
  /// `onChange` is called on the authority's own thread and must not wait. Losing the authority and finding it again is
  /// bridged: what was missed is told, if only by how it ended.
  func watch(_ onChange: @escaping @Sendable (AuthorityChange) -> Void) -> AuthorityWatch
}
