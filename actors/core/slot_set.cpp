#include "actors/core/slot_set.hpp"

#include "protocol/base/result.hpp"

#include <bit>

namespace troupe {
namespace {

constexpr std::size_t word_bits = 64;

std::size_t words_for(std::size_t bits) {
  return (bits + word_bits - 1) / word_bits;
}

} // namespace

void slot_set::grow(std::size_t capacity) {
  if (capacity <= capacity_)
    return;
  capacity_ = capacity;
  std::size_t words = words_for(capacity);
  for (std::size_t i = 0;; ++i) {
    if (i == levels_.size()) { // a new top: it covers what was the top word until now
      levels_.emplace_back(words);
      levels_[i][0] = levels_[i - 1].front() != 0 ? 1 : 0;
    } else {
      levels_[i].resize(words);
    }
    if (words == 1)
      break;
    words = words_for(words);
  }
}

void slot_set::assign(std::uint32_t slot, bool member) {
  TROUPE_ASSERT(slot < capacity_);
  if (contains(slot) == member)
    return;
  size_ = member ? size_ + 1 : size_ - 1;
  std::size_t at = slot;
  for (auto& words : levels_) {
    auto& word = words[at / word_bits];
    const bool was_empty = word == 0;
    const auto bit = std::uint64_t{1} << (at % word_bits);
    word = member ? word | bit : word & ~bit;
    if (member ? !was_empty : word != 0)
      break; // above, nothing changes
    at /= word_bits;
  }
}

bool slot_set::contains(std::uint32_t slot) const {
  return slot < capacity_ && (levels_[0][slot / word_bits] >> (slot % word_bits) & 1) != 0;
}

std::optional<std::uint32_t> slot_set::next(std::uint32_t from, std::uint32_t& steps) const {
  if (from >= capacity_)
    return std::nullopt;
  std::size_t at = from; // position on level `up`
  std::size_t up = 0;
  for (;; ++up) {
    if (up == levels_.size())
      return std::nullopt;
    const auto index = at / word_bits;
    if (index < levels_[up].size()) {
      ++steps;
      const auto rest = levels_[up][index] >> (at % word_bits);
      if (rest != 0) {
        at += static_cast<std::size_t>(std::countr_zero(rest));
        break;
      }
    }
    at = index + 1; // on the level above: the words after this one
  }
  for (; up > 0; --up) {
    ++steps;
    at = at * word_bits + static_cast<std::size_t>(std::countr_zero(levels_[up - 1][at]));
  }
  return static_cast<std::uint32_t>(at);
}

} // namespace troupe
