#pragma once
#include <stddef.h>
#include <stdint.h>

/// Whether the processor has an instruction for CRC-32C (Castagnoli).
int novation_crc32c_is_accelerated(void);
/// The CRC-32C of `count` bytes, continuing from `crc`, by that instruction; only where the processor has it.
uint32_t novation_crc32c(uint32_t crc, const uint8_t *bytes, size_t count);
