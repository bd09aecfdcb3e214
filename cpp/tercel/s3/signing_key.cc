#include "tercel/s3/signing_key.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "tercel/base/assert.h"

namespace tercel::s3 {
namespace {

// One key of the chain, wiped when it was used.
class Link {
 public:
  explicit Link(const Sha256Digest& digest) noexcept : digest_{digest} {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { wipe(std::as_writable_bytes(std::span{digest_})); }
  [[nodiscard]] std::string_view text() const noexcept { return view(digest_); }

 private:
  Sha256Digest digest_;
};

HmacKey chain(std::string_view secret, std::string_view date, std::string_view region) noexcept {
  const Link dated{HmacKey{"AWS4", secret}.sign(date)};
  const Link regional{HmacKey{dated.text()}.sign(region)};
  const Link service{HmacKey{regional.text()}.sign("s3")};
  const Link last{HmacKey{service.text()}.sign("aws4_request")};
  return HmacKey{last.text()};
}

}  // namespace

SigningKey::SigningKey(std::string_view secret, std::string_view date,
                       std::string_view region) noexcept
    : hmac_{chain(secret, date, region)} {}

SigningKeyCache::Name::Name(const SigningKeyId& id) noexcept
    : secret{id.secret}, region_bytes{id.region.size()} {
  static_assert(std::has_unique_object_representations_v<Name>);
  TERCEL_ASSERT(id.date.size() == date.size() && id.region.size() <= region.size());
  std::copy_n(id.date.begin(), std::min(id.date.size(), date.size()), date.begin());
  std::copy_n(id.region.begin(), std::min(id.region.size(), region.size()), region.begin());
}

SigningKeyCache::SigningKeyCache(std::size_t keys_max, KeyedHash hash)
    : buckets_(std::bit_ceil(keys_max), kNone), keys_max_{keys_max}, hash_{hash} {
  entries_.reserve(keys_max);
}

const SigningKey* SigningKeyCache::find(const SigningKeyId& id) noexcept {
  const std::uint32_t index = find_index(Name{id});
  if (index == kNone) return nullptr;
  touch(index);
  return &entries_[index].key;
}

const SigningKey& SigningKeyCache::insert(const SigningKeyId& id, const SigningKey& key) noexcept {
  const Name name{id};
  std::uint32_t index = find_index(name);
  if (index != kNone) {
    entries_[index].key = key;
    touch(index);
    return entries_[index].key;
  }
  index = make_room(name, key);
  std::uint32_t& head = bucket_of(name);
  entries_[index].chained = head;
  head = index;
  link_newest(index);
  return entries_[index].key;
}

std::uint32_t& SigningKeyCache::bucket_of(const Name& name) noexcept {
  const std::size_t bytes = offsetof(Name, region) + name.region_bytes;
  const std::uint64_t hash = hash_({reinterpret_cast<const char*>(&name), bytes});
  return buckets_[hash & (buckets_.size() - 1)];
}

std::uint32_t SigningKeyCache::find_index(const Name& name) noexcept {
  const auto differs = [&](std::uint32_t index) {
    return std::memcmp(&entries_[index].name, &name, sizeof name) != 0;
  };
  // Often the next request is of the same client, and to the same backend.
  if (newest_ != kNone && !differs(newest_)) return newest_;
  std::uint32_t index = bucket_of(name);
  while (index != kNone && differs(index)) index = entries_[index].chained;
  return index;
}

std::uint32_t SigningKeyCache::make_room(const Name& name, const SigningKey& key) noexcept {
  if (entries_.size() < keys_max_) {
    entries_.push_back({key, name});
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::uint32_t index = oldest_;
  unlink(index);
  std::uint32_t* place = &bucket_of(entries_[index].name);
  while (*place != index) place = &entries_[*place].chained;
  *place = entries_[index].chained;
  entries_[index] = {key, name};
  return index;
}

void SigningKeyCache::touch(std::uint32_t index) noexcept {
  if (index == newest_) return;
  unlink(index);
  link_newest(index);
}

void SigningKeyCache::unlink(std::uint32_t index) noexcept {
  const Entry& entry = entries_[index];
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
}

void SigningKeyCache::link_newest(std::uint32_t index) noexcept {
  entries_[index].newer = kNone;
  entries_[index].older = newest_;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = index;
  newest_ = index;
}

}  // namespace tercel::s3
