import Synchronization

/// A number that only grows. Any thread may add to it, without a lock.
public final class Counter: Sendable {
  private let count = Atomic<UInt64>(0)

  public init() {}

  public func add(_ increment: UInt64 = 1) { count.wrappingAdd(increment, ordering: .relaxed) }
  public var value: UInt64 { count.load(ordering: .relaxed) }
}
