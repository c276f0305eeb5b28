#pragma once
#include <stddef.h>
#include <stdint.h>

/// Keccak-256 of `count` messages, each `prefix` and then `size` bytes (at most 134, which fill one block): message i's
/// are at `inputs` + size i, its digest goes to `outputs` + 32 i. The outputs may begin where the inputs do, if `size` is
/// not below 32. Eight (AVX-512) or four (AVX2) messages at a time; the digests are the same on every machine.
/// Returns 0, having done nothing, where the processor has neither, or for a larger size.
int novation_keccak256_prefixed(uint8_t prefix, const uint8_t *inputs, size_t size, uint8_t *outputs, size_t count);
