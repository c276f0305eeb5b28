#if NOVATION_PLANT
  import Synchronization

  /// Bugs of the runtime itself, for a test build: a process plants them before its hosts serve.
  public enum HostFaults {
    /// Replies leave before their inputs are durable.
    public static let acknowledgesBeforeSync = Atomic<Bool>(false)
  }
#endif
