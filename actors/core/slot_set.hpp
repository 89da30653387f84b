#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

/// A set of small numbers that finds the next member after any point in a handful of steps,
/// however many there are: one bit per number, and above each 64 bits one that says whether
/// any of them is set, up to a single word.
class slot_set {
public:
  slot_set() = default;
  explicit slot_set(std::size_t capacity) { grow(capacity); }

  /// Makes room for numbers below `capacity`; never shrinks.
  void grow(std::size_t capacity);
  std::size_t capacity() const { return capacity_; }

  void assign(std::uint32_t slot, bool member);
  bool contains(std::uint32_t slot) const;
  bool empty() const { return levels_.back().front() == 0; }
  std::size_t size() const { return size_; }

  /// The first member at or after `from`. Adds the words it looked at to `steps`.
  std::optional<std::uint32_t> next(std::uint32_t from, std::uint32_t& steps) const;

private:
  using level = std::vector<std::uint64_t>;

  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::vector<level> levels_{level(1)}; ///< [0] the members, the last one a single word
};

} // namespace troupe
