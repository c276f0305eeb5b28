#include "CKeccak.h"
#include <string.h>

#if defined(__x86_64__)

static const uint64_t constants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000A, 0x000000008000808B, 0x800000000000008B, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

static uint64_t load(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

#define ROTATE(lane, bits) ((lane) << (bits) | (lane) >> (64 - (bits)))

// One chi row of the next state, from the five lanes that rho and pi brought together.
#define ROW(y, b0, b1, b2, b3, b4)                                                                                     \
  a[y] = (b0) ^ (~(b1) & (b2)), a[y + 1] = (b1) ^ (~(b2) & (b3)), a[y + 2] = (b2) ^ (~(b3) & (b4)),                    \
  a[y + 3] = (b3) ^ (~(b4) & (b0)), a[y + 4] = (b4) ^ (~(b0) & (b1))

// Keccak-f[1600] over WIDTH states at once: word i of state s is element s of a[i]. Steps as in FIPS 202, section 3.
// Then the group's digests: the first four words of each state.
#define DEFINE(NAME, TARGET, WIDTH)                                                                                    \
  typedef uint64_t NAME##_lanes __attribute__((vector_size(8 * WIDTH)));                                               \
  __attribute__((target(TARGET))) static void NAME(uint8_t prefix, const uint8_t *inputs, size_t size,                 \
                                                   uint8_t *outputs, size_t count) {                                   \
    NAME##_lanes a[25];                                                                                                \
    memset(a, 0, sizeof a);                                                                                            \
    for (size_t s = 0; s < count; s++) {                                                                               \
      uint8_t block[136] = {prefix};                                                                                   \
      memcpy(block + 1, inputs + size * s, size);                                                                      \
      block[size + 1] = 0x01;                                                                                          \
      block[135] |= 0x80;                                                                                              \
      for (int i = 0; i < 17; i++) a[i][s] = load(block + 8 * i);                                                      \
    }                                                                                                                  \
    for (int round = 0; round < 24; round++) {                                                                         \
      NAME##_lanes c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20], c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];                 \
      NAME##_lanes c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22], c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];                 \
      NAME##_lanes c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];                                                           \
      NAME##_lanes d0 = c4 ^ ROTATE(c1, 1), d1 = c0 ^ ROTATE(c2, 1), d2 = c1 ^ ROTATE(c3, 1);                          \
      NAME##_lanes d3 = c2 ^ ROTATE(c4, 1), d4 = c3 ^ ROTATE(c0, 1);                                                   \
      NAME##_lanes b0 = a[0] ^ d0, b10 = ROTATE(a[1] ^ d1, 1), b20 = ROTATE(a[2] ^ d2, 62);                            \
      NAME##_lanes b5 = ROTATE(a[3] ^ d3, 28), b15 = ROTATE(a[4] ^ d4, 27), b16 = ROTATE(a[5] ^ d0, 36);               \
      NAME##_lanes b1 = ROTATE(a[6] ^ d1, 44), b11 = ROTATE(a[7] ^ d2, 6), b21 = ROTATE(a[8] ^ d3, 55);                \
      NAME##_lanes b6 = ROTATE(a[9] ^ d4, 20), b7 = ROTATE(a[10] ^ d0, 3), b17 = ROTATE(a[11] ^ d1, 10);               \
      NAME##_lanes b2 = ROTATE(a[12] ^ d2, 43), b12 = ROTATE(a[13] ^ d3, 25), b22 = ROTATE(a[14] ^ d4, 39);            \
      NAME##_lanes b23 = ROTATE(a[15] ^ d0, 41), b8 = ROTATE(a[16] ^ d1, 45), b18 = ROTATE(a[17] ^ d2, 15);            \
      NAME##_lanes b3 = ROTATE(a[18] ^ d3, 21), b13 = ROTATE(a[19] ^ d4, 8), b14 = ROTATE(a[20] ^ d0, 18);             \
      NAME##_lanes b24 = ROTATE(a[21] ^ d1, 2), b9 = ROTATE(a[22] ^ d2, 61), b19 = ROTATE(a[23] ^ d3, 56);             \
      NAME##_lanes b4 = ROTATE(a[24] ^ d4, 14);                                                                        \
      ROW(0, b0, b1, b2, b3, b4);                                                                                      \
      ROW(5, b5, b6, b7, b8, b9);                                                                                      \
      ROW(10, b10, b11, b12, b13, b14);                                                                                \
      ROW(15, b15, b16, b17, b18, b19);                                                                                \
      ROW(20, b20, b21, b22, b23, b24);                                                                                \
      a[0] ^= constants[round];                                                                                        \
    }                                                                                                                  \
    for (size_t s = 0; s < count; s++) {                                                                               \
      uint64_t digest[4] = {a[0][s], a[1][s], a[2][s], a[3][s]};                                                       \
      memcpy(outputs + 32 * s, digest, sizeof digest);                                                                 \
    }                                                                                                                  \
  }

DEFINE(eight, "avx512f", 8)
DEFINE(four, "avx2", 4)

int novation_keccak256_prefixed(uint8_t prefix, const uint8_t *inputs, size_t size, uint8_t *outputs, size_t count) {
  size_t width;
  if (size > 134) return 0;
  if (__builtin_cpu_supports("avx512f")) {
    width = 8;
  } else if (__builtin_cpu_supports("avx2")) {
    width = 4;
  } else {
    return 0;
  }
  for (size_t first = 0; first < count; first += width) {
    size_t group = count - first < width ? count - first : width;
    (width == 8 ? eight : four)(prefix, inputs + size * first, size, outputs + 32 * first, group);
  }
  return 1;
}

#else

int novation_keccak256_prefixed(uint8_t prefix, const uint8_t *inputs, size_t size, uint8_t *outputs, size_t count) {
  (void)prefix, (void)inputs, (void)size, (void)outputs, (void)count;
  return 0;
}

#endif
