import Foundation

/// The messages of etcd's v3 JSON gateway that are used here: proto3 in JSON, so that what is zero may be missing,
/// 64-bit numbers are strings, and bytes are base64.
enum EtcdMessages {
  struct Number: Codable, Sendable, Hashable {
    var value: Int64
    init(_ value: Int64) { self.value = value }
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        guard let value = Int64(text) else {
          throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no number")
        }
        self.value = value
      } else {
        value = try container.decode(Int64.self)
      }
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(String(value))
    }
  }

  struct Header: Codable, Sendable {
    var revision: Number?
    var raft_term: Number?
  }
  struct KeyValue: Codable, Sendable {
    var key: Data
    var value: Data?
    var mod_revision: Number?
  }

  struct Range: Codable, Sendable {
    var key: Data
    var range_end: Data?
    var count_only: Bool?
  }
  struct RangeAnswer: Codable, Sendable {
    var header: Header?
    var kvs: [KeyValue]?
    var count: Number?
  }

  struct Put: Codable, Sendable {
    var key: Data
    var value: Data
    var lease: Number?
  }

  struct Compare: Codable, Sendable {
    var target: String
    var key: Data
    var result = "EQUAL"
    var mod_revision: Number?
    var lease: Number?
  }
  struct Operation: Codable, Sendable {
    var request_put: Put?
    var request_range: Range?
  }
  struct Transaction: Codable, Sendable {
    var compare: [Compare]
    var success: [Operation] = []
    var failure: [Operation] = []
  }
  struct TransactionAnswer: Codable, Sendable {
    struct Part: Codable, Sendable {
      var response_range: RangeAnswer?
    }
    var header: Header?
    var succeeded: Bool?
    var responses: [Part]?
  }

  struct LeaseGrant: Codable, Sendable {
    var TTL: Number
    var ID: Number
  }
  struct LeaseName: Codable, Sendable {
    var ID: Number
  }
  struct LeaseAnswer: Codable, Sendable {
    var header: Header?
    var ID: Number?
    var TTL: Number?
  }
  struct KeepAliveAnswer: Codable, Sendable {
    var result: LeaseAnswer?
  }

  struct WatchCreation: Codable, Sendable {
    var key: Data
    var range_end: Data
    var start_revision: Number
  }
  struct WatchRequest: Codable, Sendable {
    var create_request: WatchCreation
  }
  struct WatchAnswer: Codable, Sendable {
    struct Event: Codable, Sendable {
      var type: String?
      var kv: KeyValue
    }
    struct Result: Codable, Sendable {
      var header: Header?
      var created: Bool?
      var canceled: Bool?
      var compact_revision: Number?
      var cancel_reason: String?
      var events: [Event]?
    }
    var result: Result?
    var error: Failure?
  }

  struct Login: Codable, Sendable {
    var name: String
    var password: String
  }
  struct LoginAnswer: Codable, Sendable {
    var token: String?
  }

  struct Nothing: Codable, Sendable {}

  /// Why a request was not done, by gRPC's codes.
  struct Failure: Codable, Sendable {
    var code: Int?
    var grpc_code: Int?
    var message: String?
    var error: String?
    var number: Int { code ?? grpc_code ?? 0 }
    var text: String { message ?? error ?? "code \(number)" }
  }

  /// A record's value, for people to read.
  struct Record: Codable, Sendable {
    var term: UInt32
    var owner: String
    var in_sync: [String]
  }
}
