#pragma once

#include "actors/core/slab.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe {

/// The items of a slab by the least of a value that each holds. Each also holds its place in
/// here, so that any of them leaves in as many steps as the heap has levels.
template <class Item, auto Value, std::uint32_t Item::*Place>
class slab_heap {
public:
  /// The item with the least value, or `nowhere`.
  std::uint32_t first() const { return heap_.empty() ? nowhere : heap_.front(); }
  std::size_t size() const { return heap_.size(); }

  /// Both add the levels that they went through to `steps`.
  void put(slab<Item>& items, std::uint32_t at, std::uint64_t& steps) {
    heap_.push_back(at);
    items[at].*Place = static_cast<std::uint32_t>(heap_.size() - 1);
    rise(items, items[at].*Place, steps);
  }
  void erase(slab<Item>& items, std::uint32_t at, std::uint64_t& steps) {
    const auto hole = items[at].*Place;
    const auto last = heap_.back();
    heap_.pop_back();
    if (last == at)
      return;
    set(items, hole, last);
    rise(items, hole, steps);
    sink(items, items[last].*Place, steps);
  }

private:
  bool less(const slab<Item>& items, std::size_t a, std::size_t b) const {
    return items[heap_[a]].*Value < items[heap_[b]].*Value;
  }
  void set(slab<Item>& items, std::size_t place, std::uint32_t at) {
    heap_[place] = at;
    items[at].*Place = static_cast<std::uint32_t>(place);
  }
  void swap(slab<Item>& items, std::size_t a, std::size_t b) {
    const auto at = heap_[a];
    set(items, a, heap_[b]);
    set(items, b, at);
  }
  void rise(slab<Item>& items, std::size_t place, std::uint64_t& steps) {
    for (; place > 0 && less(items, place, (place - 1) / 2); place = (place - 1) / 2, ++steps)
      swap(items, place, (place - 1) / 2);
  }
  void sink(slab<Item>& items, std::size_t place, std::uint64_t& steps) {
    for (;; ++steps) {
      auto least = place;
      for (auto child = 2 * place + 1; child <= 2 * place + 2 && child < heap_.size(); ++child)
        if (less(items, child, least))
          least = child;
      if (least == place)
        return;
      swap(items, place, least);
      place = least;
    }
  }

  std::vector<std::uint32_t> heap_;
};

} // namespace troupe
