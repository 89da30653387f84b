#include "protocol/json/tree.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

namespace troupe::json {

namespace {

/// Tells whoever looks how far the parser has read: its events carry no place.
struct watched_iterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** seen = nullptr;

  reference operator*() const { return *at; }
  watched_iterator& operator++() {
    *seen = ++at;
    return *this;
  }
  watched_iterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const watched_iterator& a, const watched_iterator& b) {
    return a.at == b.at;
  }
};

/// Grows the tree from the parser's events. Every function returns false to end the reading.
class builder {
public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  explicit builder(std::string_view all) : all_(all), seen_(all.data()) {}

  const char** seen() { return &seen_; }
  tree& root() { return root_; }
  const tree_fault& fault() const { return fault_; }

  bool null() { return place(kind::null) != nullptr; }
  bool boolean(bool value) {
    auto* t = place(kind::boolean);
    return t != nullptr && (t->truth = value, true);
  }
  bool number_integer(number_integer_t value) { return integer(value); }
  bool number_unsigned(number_unsigned_t value) {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      return place(kind::number) != nullptr;
    return integer(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) {
    constexpr double exact = 9007199254740992.0; // 2^53
    if (std::floor(value) == value && std::abs(value) <= exact)
      return integer(static_cast<std::int64_t>(value));
    return place(kind::number) != nullptr;
  }
  bool string(string_t& value) {
    auto* t = place(kind::text);
    return t != nullptr && (t->text = std::move(value), true);
  }
  bool binary(binary_t&) { return fail("holds what is no JSON"); }

  bool start_object(std::size_t) { return open(kind::object); }
  bool start_array(std::size_t) { return open(kind::list); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& name) {
    auto& names = open_.back().names;
    if (!names.insert(name).second)
      return fail("a name stands twice in one object");
    open_.back().of->members.push_back({std::move(name), {}});
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) {
    return fail(seen_ == all_.data() + all_.size() ? "the text ends too soon, or wrongly"
                                                   : "this is not JSON");
  }

private:
  struct level {
    tree* of;
    std::set<std::string, std::less<>> names;
  };

  bool integer(std::int64_t value) {
    auto* t = place(kind::integer);
    return t != nullptr && (t->whole = value, true);
  }

  /// A new value where one is due.
  tree* place(kind k) {
    if (++values_ > tree_values_max) {
      fail("holds more values than anybody needs");
      return nullptr;
    }
    tree* t = &root_;
    if (!open_.empty()) {
      auto& of = *open_.back().of;
      t = of.what == kind::list ? &of.items.emplace_back() : &of.members.back().value;
    }
    t->what = k;
    return t;
  }

  bool open(kind k) {
    if (open_.size() >= tree_depth_max)
      return fail("is nested deeper than " + std::to_string(tree_depth_max) + " levels");
    auto* t = place(k);
    if (t == nullptr)
      return false;
    open_.push_back({t, {}});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool fail(std::string text) {
    const auto before = all_.substr(0, static_cast<std::size_t>(seen_ - all_.data()));
    fault_.line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
    const auto line_begin = before.rfind('\n'); // npos + 1 is 0
    fault_.column = std::max<std::size_t>(1, before.size() - (line_begin + 1));
    fault_.text = std::move(text);
    return false;
  }

  std::string_view all_;
  const char* seen_;
  tree root_;
  std::vector<level> open_; ///< outermost first; what they point to does not move while open
  std::size_t values_ = 0;
  tree_fault fault_;
};

} // namespace

std::string_view describe(kind k) {
  switch (k) {
  case kind::null:
    return "null";
  case kind::boolean:
    return "true or false";
  case kind::integer:
    return "a whole number";
  case kind::number:
    return "a number that is not whole";
  case kind::text:
    return "a text";
  case kind::list:
    return "a list";
  case kind::object:
    return "an object";
  }
  return "unknown";
}

const tree* tree::find(std::string_view name) const {
  const auto at = std::ranges::find(members, name, &tree_member::name);
  return at == members.end() ? nullptr : &at->value;
}

std::variant<tree, tree_fault> read_tree(std::string_view text) {
  builder events(text);
  const watched_iterator begin{text.data(), events.seen()};
  const watched_iterator end{text.data() + text.size(), events.seen()};
  if (!nlohmann::json::sax_parse(begin, end, &events))
    return events.fault();
  return std::move(events.root());
}

} // namespace troupe::json
