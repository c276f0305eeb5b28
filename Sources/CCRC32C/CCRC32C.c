#include "CCRC32C.h"
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>

int novation_crc32c_is_accelerated(void) {
  unsigned int a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c >> 20 & 1);
}

__attribute__((target("sse4.2"))) uint32_t novation_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
  uint64_t state = (uint32_t)~crc;
  for (; count >= 8; count -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
  for (; count > 0; count--, bytes++) state = _mm_crc32_u8((uint32_t)state, *bytes);
  return ~(uint32_t)state;
}
#else
int novation_crc32c_is_accelerated(void) { return 0; }
uint32_t novation_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) { return crc; }
#endif
