#pragma once
#include <stddef.h>
#include <stdint.h>

/// Keccak-256 of `count` messages of 65 bytes, each `prefix` and then 64 bytes: message i's are at `inputs` + 64 i, its
/// digest goes to `outputs` + 32 i. The outputs may begin where the inputs do. Eight (AVX-512) or four (AVX2) messages
/// at a time; the digests are the same on every machine.
/// Returns 0, having done nothing, where the processor has neither.
int novation_keccak256_prefixed(uint8_t prefix, const uint8_t *inputs, uint8_t *outputs, size_t count);
