// Memory for many objects of one type that come and go: connections, streams, requests.
//
//   Slab<Connection> connections;
//   Connection* connection = connections.make(loop, std::move(stream));  // Null: out of memory.
//   connections.destroy(connection);
//
// Objects stand in chunks of 64 or some more, without a header of their own, and an object's
// address never changes. A chunk knows which of its places are taken, so the objects need no list
// of their own. The place that was freed last is taken first, while it is still in the caches.
// Chunks with nothing in them are kept for the next burst up to kFreeBytesMax, then given back.
//
// Resource: one thread. Cost: make() and destroy() are constant, except where a chunk is allocated
// or freed. Tested by slab_test.cc.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/base/poison.h"

namespace tercel {

template <typename T>
class Slab {
 public:
  // Bytes kept in chunks without objects, at most.
  static constexpr std::size_t kFreeBytesMax = std::size_t{1} << 20;

  Slab() noexcept = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Objects still alive are a bug: in release their chunks are left behind, because somebody may
  // still point to them.
  ~Slab() {
    static_cast<void>(TERCEL_BUG_IF(alive_ != 0));
    trim();
  }

  // Constructs a T, or returns null when memory is exhausted.
  template <typename... Args>
  [[nodiscard]] T* make(Args&&... args) noexcept {
    static_assert(std::is_nothrow_constructible_v<T, Args&&...>);
    void* place = free_ != nullptr ? take_free() : take_fresh();
    if (place == nullptr) return nullptr;
    Chunk& chunk = chunk_of(place);
    if (chunk.alive++ == 0) --empty_chunks_;
    ++alive_;
    flip(chunk, place);
    unpoison(place, sizeof(Place));
    return new (place) T(std::forward<Args>(args)...);
  }

  // REQUIRES: `object` came from make() of this slab and is alive.
  void destroy(T* object) noexcept {
    object->~T();
    Chunk& chunk = chunk_of(object);
    flip(chunk, object);
    link(object);
    --alive_;
    if (--chunk.alive > 0) return;
    ++empty_chunks_;
    if (empty_chunks_ * kChunkBytes > kFreeBytesMax) free_chunk(chunk);
  }

  // Frees the chunks that hold no object. Returns the number of bytes freed.
  // Cost: one step a chunk, and one a place of those freed.
  std::size_t trim() noexcept {
    const std::size_t freed = empty_chunks_ * kChunkBytes;
    for (Chunk* chunk = chunks_; chunk != nullptr && empty_chunks_ > 0;) {
      Chunk* next = chunk->next;
      if (chunk->alive == 0) free_chunk(*chunk);
      chunk = next;
    }
    return freed;
  }

  // Calls `visit(T&)` for every object, in no order. Those made meanwhile may be left out.
  // REQUIRES: it destroys none.
  template <typename Visit>
  void for_each(Visit visit) noexcept {
    for (Chunk* chunk = chunks_; chunk != nullptr; chunk = chunk->next) {
      for (std::size_t word = 0; word < kWords; ++word) {
        for (std::uint64_t left = chunk->taken[word]; left != 0; left &= left - 1) {
          visit(object_of(*chunk, word, left));
        }
      }
    }
  }
  // One of the objects, or null when there is none.
  [[nodiscard]] T* any() noexcept {
    for (Chunk* chunk = chunks_; chunk != nullptr; chunk = chunk->next) {
      for (std::size_t word = 0; word < kWords; ++word) {
        if (const std::uint64_t taken = chunk->taken[word]; taken != 0) {
          return &object_of(*chunk, word, taken);
        }
      }
    }
    return nullptr;
  }

  [[nodiscard]] std::size_t alive() const noexcept { return alive_; }
  // Bytes taken from the system, for objects and for free places.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return chunk_count_ * kChunkBytes; }

 private:
  struct FreePlace {
    FreePlace* prev;
    FreePlace* next;
  };
  union Place {
    alignas(T) std::byte object[sizeof(T)];
    FreePlace free;
  };
  static constexpr std::size_t kWordBits = 64;
  static constexpr std::size_t kWords = 2;
  struct Chunk {
    Chunk* prev;
    Chunk* next;
    std::size_t alive;
    std::size_t fresh;            // The first of the places that were never taken.
    std::uint64_t taken[kWords];  // A bit a place.
  };

  // A chunk is aligned to its size, rounded up, so that an object's address tells its chunk. It
  // ends a little before the boundary: malloc's own header of the next one fits there, and chunks
  // stand side by side.
  static constexpr std::size_t kFirstPlace =
      (sizeof(Chunk) + alignof(Place) - 1) / alignof(Place) * alignof(Place);
  static constexpr std::size_t kChunkAlignment = std::bit_ceil(kFirstPlace + 64 * sizeof(Place));
  static constexpr std::size_t kMallocBytes = 64;
  static constexpr std::size_t kPlaces =
      std::min((kChunkAlignment - kMallocBytes - kFirstPlace) / sizeof(Place), kWords* kWordBits);
  static constexpr std::size_t kChunkBytes = kFirstPlace + kPlaces * sizeof(Place);
  static_assert(kPlaces >= 60 && kChunkBytes + kMallocBytes <= kChunkAlignment);

  static Chunk& chunk_of(void* place) noexcept {
    const auto into_chunk = reinterpret_cast<std::uintptr_t>(place) & (kChunkAlignment - 1);
    return *reinterpret_cast<Chunk*>(static_cast<std::byte*>(place) - into_chunk);
  }
  static std::byte* place_of(Chunk& chunk, std::size_t index) noexcept {
    return reinterpret_cast<std::byte*>(&chunk) + kFirstPlace + index * sizeof(Place);
  }

  static void flip(Chunk& chunk, const void* place) noexcept {
    const auto bytes =
        static_cast<std::size_t>(static_cast<const std::byte*>(place) - place_of(chunk, 0));
    const std::size_t index = bytes / sizeof(Place);
    chunk.taken[index / kWordBits] ^= std::uint64_t{1} << index % kWordBits;
  }
  // The object of the lowest bit of `taken`, which is not 0.
  static T& object_of(Chunk& chunk, std::size_t word, std::uint64_t taken) noexcept {
    const auto bit = static_cast<std::size_t>(std::countr_zero(taken));
    return *std::launder(reinterpret_cast<T*>(place_of(chunk, word * kWordBits + bit)));
  }

  bool add_chunk() noexcept {
    void* memory = nullptr;
    if (::posix_memalign(&memory, kChunkAlignment, kChunkBytes) != 0) return false;
    Chunk& chunk = *new (memory) Chunk{nullptr, chunks_, 0, 0, {}};
    if (chunks_ != nullptr) chunks_->prev = &chunk;
    chunks_ = &chunk;
    ++chunk_count_;
    ++empty_chunks_;
    opened_ = &chunk;
    poison(place_of(chunk, 0), kPlaces * sizeof(Place));
    return true;
  }

  void* take_free() noexcept {
    FreePlace* place = free_;
    unlink(*place);
    return place;
  }
  // A place of the newest chunk: pages that nobody needed yet stay untouched.
  void* take_fresh() noexcept {
    if ((opened_ == nullptr || opened_->fresh == kPlaces) && !add_chunk()) return nullptr;
    return place_of(*opened_, opened_->fresh++);
  }

  void free_chunk(Chunk& chunk) noexcept {
    for (std::size_t i = 0; i < chunk.fresh; ++i) {
      unlink(*std::launder(reinterpret_cast<FreePlace*>(place_of(chunk, i))));
    }
    (chunk.prev != nullptr ? chunk.prev->next : chunks_) = chunk.next;
    if (chunk.next != nullptr) chunk.next->prev = chunk.prev;
    if (&chunk == opened_) opened_ = nullptr;
    --chunk_count_;
    --empty_chunks_;
    unpoison(&chunk, kChunkBytes);
    std::free(&chunk);
  }

  void link(void* place) noexcept {
    unpoison(place, sizeof(FreePlace));
    auto* free = new (place) FreePlace{nullptr, free_};
    if (free_ != nullptr) free_->prev = free;
    free_ = free;
    poison(free + 1, sizeof(Place) - sizeof(FreePlace));
  }
  void unlink(FreePlace& place) noexcept {
    (place.prev != nullptr ? place.prev->next : free_) = place.next;
    if (place.next != nullptr) place.next->prev = place.prev;
  }

  FreePlace* free_ = nullptr;
  Chunk* chunks_ = nullptr;
  Chunk* opened_ = nullptr;  // The newest.
  std::size_t chunk_count_ = 0;
  std::size_t empty_chunks_ = 0;
  std::size_t alive_ = 0;
};

}  // namespace tercel
