import Foundation

/// What a drill cannot do without. A machine that lacks it fails the drill, with the reason.
public enum DrillNeed: Sendable, Hashable {
  /// The superuser: networks, mounts and control groups are made for a drill.
  case root
  /// A program on the path, and the Debian package that brings it.
  case program(String, package: String)
  /// A file or device, and the Debian package that brings it; empty if the kernel does.
  case file(String, package: String)
  /// A build that can carry planted bugs.
  case testBuild

  /// What is missing; `nil` if nothing is.
  public var complaint: String? {
    switch self {
    case .root: geteuid() == 0 ? nil : "it needs root: it makes networks, mounts or control groups"
    case .program(let name, let package):
      Shell.path(of: name) == nil ? "it needs \(name), of the Debian package \(package)" : nil
    case .file(let path, let package):
      access(path, F_OK) == 0
        ? nil : package.isEmpty ? "it needs \(path), which this kernel lacks" : "it needs \(path), of \(package)"
    case .testBuild:
      #if NOVATION_PLANT
        nil
      #else
        "it needs a bug to find: a test build, made with -Xswiftc -DNOVATION_PLANT"
      #endif
    }
  }
}
