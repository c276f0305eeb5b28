#pragma once
#include <stddef.h>
#include <stdint.h>

/// A SHA-256 (FIPS 180-4) in the making.
typedef struct {
  uint32_t state[8];
  /// Bytes taken in.
  uint64_t length;
  /// Those of the block that is not full.
  uint8_t block[64];
} novation_sha256;

/// Starts a hash.
void novation_sha256_init(novation_sha256 *hash);
/// Takes in `count` bytes.
void novation_sha256_update(novation_sha256 *hash, const uint8_t *bytes, size_t count);
/// Ends the hash: 32 bytes at `digest`.
void novation_sha256_final(novation_sha256 *hash, uint8_t *digest);

/// Whether the processor's own SHA instructions are used.
int novation_sha256_is_accelerated(void);
/// Uses them if the processor has them (the default), or not: the digests are the same.
void novation_sha256_accelerate(int wanted);
