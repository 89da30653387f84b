#pragma once

#include "sandbox/json.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace sandbox {

/// What is wrong with a control document. Thrown and caught within one file.
struct bad_field : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads a JSON object member by member and remembers which were asked for, so
/// that `done` can refuse the unknown ones. Throws `bad_field`.
class fields {
public:
  fields(const json& from, std::string what);

  /// The member, or null.
  const json* raw(const char* name);
  void take(const char* name, bool& to);
  void take(const char* name, std::uint64_t& to);
  void take(const char* name, std::optional<std::uint64_t>& to);
  void take(const char* name, double& to);
  void take(const char* name, std::optional<double>& to);
  void take(const char* name, std::string& to);
  void take(const char* name, std::optional<std::string>& to);

  template <class E, std::size_t N>
  void take(const char* name, E& to, const std::pair<const char*, E> (&names)[N]) {
    std::string word;
    take(name, word);
    if (word.empty())
      return;
    for (const auto& [known, value] : names)
      if (word == known) {
        to = value;
        return;
      }
    refuse(std::string{name} + " cannot be \"" + word + "\"");
  }
  template <class E, std::size_t N>
  void take(const char* name, std::optional<E>& to, const std::pair<const char*, E> (&names)[N]) {
    if (raw(name) == nullptr)
      return;
    E value{};
    take(name, value, names);
    to = value;
  }

  const json& list(const json& value, const char* name);
  void done();
  [[noreturn]] void refuse(const std::string& why) const;

private:
  const json& from_;
  std::string what_;
  std::set<std::string> asked_;
};

} // namespace sandbox
