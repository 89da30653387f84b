#pragma once

// Private to protocol/: brings in simdjson.

#include "protocol/client_error.hpp"

#include <simdjson.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// Reading of bodies that clients send, over simdjson's tape. Three rules hold everywhere: a
/// member that is `null` is absent (G7), of members with one name the last wins, and a known
/// member of a wrong type is the client's fault (G5).

namespace troupe::json {

using simdjson::dom::element;
using simdjson::dom::element_type;

/// A parser and its document. What `parse` gives is valid until the next call.
///
/// Owned by one thread, reused from request to request: after the first ones nothing is
/// allocated. A body above `kept_bytes_max` is parsed in memory that is freed again with the
/// next one, because a parser takes some fifteen times the size of its largest document.
class reader {
public:
  reader() = default;
  reader(const reader&) = delete; // elements point into the parser
  reader& operator=(const reader&) = delete;

  static constexpr std::size_t kept_bytes_max = 1 << 20;
  static constexpr std::size_t depth_max = 512; ///< of nested containers

  /// `fault::invalid_json` where `body` is not JSON, is nested too deeply or holds a number
  /// that no 64 bits can hold.
  std::variant<element, client_error> parse(std::string_view body);

  /// Frees what a large body took. Call when done with its document.
  void release_large();

private:
  bool reserve(std::size_t bytes);

  simdjson::dom::parser parser_;
  std::unique_ptr<char[]> padded_; ///< the body, followed by the bytes that simdjson overreads
  std::size_t capacity_ = 0;
};

/// Names of members, looked up by a bucket for each length.
template <std::size_t N>
class member_names {
public:
  static constexpr std::size_t length_max = 32;

  constexpr explicit member_names(const std::array<std::string_view, N>& names) : names_(names) {
    static_assert(N < 255);
    first_.fill(none);
    for (std::size_t i = N; i-- > 0;) {
      if (names[i].size() > length_max)
        throw "raise length_max";
      next_[i] = first_[names[i].size()];
      first_[names[i].size()] = static_cast<std::uint8_t>(i);
    }
  }

  /// The index of `name`, or `N`.
  constexpr std::size_t find(std::string_view name) const {
    if (name.size() > length_max)
      return N;
    for (auto i = first_[name.size()]; i != none; i = next_[i])
      if (names_[i] == name)
        return i;
    return N;
  }

  constexpr std::string_view operator[](std::size_t index) const { return names_[index]; }
  static constexpr std::size_t size() { return N; }

private:
  static constexpr std::uint8_t none = 255;

  std::array<std::string_view, N> names_;
  std::array<std::uint8_t, length_max + 1> first_{};
  std::array<std::uint8_t, N> next_{};
};

/// The known members of one object, found in one pass over it. `Field` enumerates them from 0
/// in the order of the names.
template <class Field, std::size_t N>
class members {
public:
  members() = default;
  members(const simdjson::dom::object& object, const member_names<N>& names) {
    read(object, names);
  }

  void read(const simdjson::dom::object& object, const member_names<N>& names) {
    for (const auto field : object)
      if (const auto index = names.find(field.key); index < N) {
        values_[index] = field.value;
        present_[index] = !field.value.is_null();
      }
  }

  /// Null where the member is absent or `null`.
  const element* operator[](Field which) const& {
    const auto index = static_cast<std::size_t>(which);
    return present_[index] ? &values_[index] : nullptr;
  }

  const element* operator[](Field which) const&& = delete; // would point into what is gone

private:
  std::array<element, N> values_{};
  std::array<bool, N> present_{};
};

/// One member of an object; none where it is absent or `null`.
inline std::optional<element> find_member(const simdjson::dom::object& object,
                                          std::string_view name) {
  std::optional<element> found;
  for (const auto field : object)
    if (field.key == name)
      found = field.value.is_null() ? std::nullopt : std::optional<element>{field.value};
  return found;
}

inline std::optional<std::string_view> as_string(const element& value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS)
    return std::nullopt;
  return text;
}

inline std::optional<simdjson::dom::object> as_object(const element& value) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS)
    return std::nullopt;
  return object;
}

inline std::optional<simdjson::dom::array> as_array(const element& value) {
  simdjson::dom::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS)
    return std::nullopt;
  return array;
}

inline std::optional<bool> as_bool(const element& value) {
  bool truth = false;
  if (value.get_bool().get(truth) != simdjson::SUCCESS)
    return std::nullopt;
  return truth;
}

/// An integer also where it is written as `3.0` or `3e2`, as JSON Schema counts it.
std::optional<std::int64_t> as_integer(const element& value);

inline bool is_number(const element& value) {
  return value.is_number();
}

bool is_empty(const simdjson::dom::object& object);

} // namespace troupe::json
