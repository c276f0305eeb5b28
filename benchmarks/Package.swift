// swift-tools-version: 6.2
import PackageDescription

// A package of its own: what measures never weighs on what is measured.
let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "novation", path: "..")],
  targets: [
    .executableTarget(
      name: "Benchmarks", dependencies: [
        .product(name: "Novation", package: "novation"), .product(name: "NovationEdges", package: "novation"),
      ],
      swiftSettings: [
        .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ])
  ]
)
