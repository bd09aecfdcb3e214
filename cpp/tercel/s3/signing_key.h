// The key that a secret gives for one day and region, and a cache of such keys.
//
//   const SigningKey* key = cache.find(id);
//   if (key == nullptr) key = &cache.insert(id, SigningKey{secret, id.date, id.region});
//
// Deriving a key is a chain of four HMACs (about 18 blocks of SHA-256); finding one is a hash and a
// comparison. Only derived keys are kept, as states of HMAC, and they are wiped when they go: a
// secret is read and forgotten. Source: AWS, "Create a signed AWS API request", step 4.
// Tested by signing_key_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tercel/base/keyed_hash.h"
#include "tercel/s3/sha256.h"

namespace tercel::s3 {

inline constexpr std::size_t kDateBytes = 8;  // YYYYMMDD
inline constexpr std::size_t kRegionBytesMax = 64;

// A value.
class SigningKey {
 public:
  SigningKey(std::string_view secret, std::string_view date, std::string_view region) noexcept;

  [[nodiscard]] const HmacKey& hmac() const noexcept { return hmac_; }

 private:
  HmacKey hmac_;
};

// What a key was derived from. A secret is named by a number that no other one has: whoever
// replaces a secret takes another, and so no request meets the key of the old one.
struct SigningKeyId {
  std::uint64_t secret = 0;
  std::string_view date = {};    // kDateBytes of them.
  std::string_view region = {};  // At most kRegionBytesMax.
};

// A resource. Forgets the key that was not used for longest. Memory: 336 bytes a key, taken when
// the cache is made and touched as it fills. Thread: one.
class SigningKeyCache {
 public:
  // REQUIRES: keys_max is from 1 to 2^30.
  explicit SigningKeyCache(std::size_t keys_max, KeyedHash hash = KeyedHash::random());
  SigningKeyCache(const SigningKeyCache&) = delete;
  SigningKeyCache& operator=(const SigningKeyCache&) = delete;

  // Null: not there. Valid until the next insert().
  [[nodiscard]] const SigningKey* find(const SigningKeyId& id) noexcept;
  // Replaces the key of that id, if there is one. Valid until the next insert().
  // REQUIRES: date and region of the id have the sizes that it states.
  const SigningKey& insert(const SigningKeyId& id, const SigningKey& key) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // An id as bytes without gaps, so that it is hashed and compared at once.
  struct Name {
    explicit Name(const SigningKeyId& id) noexcept;

    std::uint64_t secret;
    std::uint64_t region_bytes;
    std::array<char, kDateBytes> date{};
    std::array<char, kRegionBytesMax> region{};  // Zeros behind.
  };
  struct Entry {
    SigningKey key;
    Name name;
    std::uint32_t chained = kNone;  // The next of its bucket.
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
  };
  static_assert(sizeof(Entry) <= 344);

  [[nodiscard]] std::uint32_t& bucket_of(const Name& name) noexcept;
  [[nodiscard]] std::uint32_t find_index(const Name& name) noexcept;
  // The place for one more key, linked nowhere.
  [[nodiscard]] std::uint32_t make_room(const Name& name, const SigningKey& key) noexcept;
  void touch(std::uint32_t index) noexcept;
  void unlink(std::uint32_t index) noexcept;
  void link_newest(std::uint32_t index) noexcept;

  std::vector<Entry> entries_;          // Never grows above its first capacity.
  std::vector<std::uint32_t> buckets_;  // Heads of chains; a power of two of them.
  std::size_t keys_max_;
  KeyedHash hash_;
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
};

}  // namespace tercel::s3
