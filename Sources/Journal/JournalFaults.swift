#if NOVATION_PLANT
  import Synchronization

  /// Faults that a test build plants, to show that the audit notices them.
  public enum JournalFaults {
    /// Environments opened from now on acknowledge commits that are not on disk.
    public static let skipSync = Atomic<Bool>(false)
  }
#endif
