#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace troupe {

/// Where nothing stands.
constexpr std::uint32_t nowhere = UINT32_MAX;

/// Items at small numbers that stay theirs until they are given back. What a peak has needed is
/// kept for the next one.
template <class Item>
class slab {
public:
  std::uint32_t take() {
    if (vacant_.empty()) {
      items_.emplace_back();
      return static_cast<std::uint32_t>(items_.size() - 1);
    }
    const auto at = vacant_.back();
    vacant_.pop_back();
    return at;
  }
  void give_back(std::uint32_t at) {
    items_[at] = {};
    vacant_.push_back(at);
  }

  Item& operator[](std::uint32_t at) { return items_[at]; }
  const Item& operator[](std::uint32_t at) const { return items_[at]; }

private:
  std::deque<Item> items_; // not a vector: growing would need twice the room for a moment
  std::vector<std::uint32_t> vacant_;
};

/// The place of an item in one chain.
struct chain_link {
  std::uint32_t before = nowhere;
  std::uint32_t after = nowhere;
};

/// Items of a slab in an order. Each holds its own link, so that any of them leaves at once.
template <class Item, chain_link Item::*Link>
class chain {
public:
  bool empty() const { return first_ == nowhere; }
  std::uint32_t first() const { return first_; }
  std::uint32_t last() const { return last_; }

  /// Puts `at` before `other`; before nowhere: at the end.
  void insert(slab<Item>& items, std::uint32_t at, std::uint32_t other) {
    const auto before = other == nowhere ? last_ : (items[other].*Link).before;
    items[at].*Link = {before, other};
    (before == nowhere ? first_ : (items[before].*Link).after) = at;
    (other == nowhere ? last_ : (items[other].*Link).before) = at;
  }

  void erase(slab<Item>& items, std::uint32_t at) {
    const auto link = items[at].*Link;
    (link.before == nowhere ? first_ : (items[link.before].*Link).after) = link.after;
    (link.after == nowhere ? last_ : (items[link.after].*Link).before) = link.before;
    items[at].*Link = {};
  }

private:
  std::uint32_t first_ = nowhere;
  std::uint32_t last_ = nowhere;
};

} // namespace troupe
