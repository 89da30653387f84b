#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// Characters that must never be seen: an upstream key, a client's credential.
/// Prints as `***`; who needs the characters says `reveal`.
class secret {
public:
  secret() = default;
  explicit secret(std::string characters) : characters_(std::move(characters)) {}

  std::string_view reveal() const { return characters_; }
  bool empty() const { return characters_.empty(); }

  friend bool operator==(const secret&, const secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const secret&) { return out << "***"; }

private:
  std::string characters_;
};

} // namespace troupe
