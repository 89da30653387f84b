#pragma once

#include "actors/inventory/answer.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Takes parameters out of a query, and collects everything that is wrong with them. The
/// parameter `key` is nobody's: it may show the credential. Texts of problems repeat no value.
class query_reader {
public:
  query_reader(std::string_view query, std::vector<field_problem>& problems);

  /// The value, decoded; empty: not there.
  std::string text(std::string_view name);
  /// Separated by commas.
  std::vector<std::string> list(std::string_view name);
  bool flag(std::string_view name);
  std::uint64_t number(std::string_view name, std::uint64_t fallback, std::uint64_t least,
                       std::uint64_t most);
  /// Where the value stands in `words`; nothing if it is not there.
  std::optional<std::size_t> word(std::string_view name, std::span<const std::string_view> words);
  bool has(std::string_view name) const;
  void fault(std::string_view name, std::string_view code, std::string text);

  /// Every parameter that nobody took is a problem.
  void refuse_rest();

private:
  struct parameter {
    std::string name;
    std::string value;
    bool taken = false;
  };

  const std::string* take(std::string_view name);

  std::vector<parameter> parameters_;
  std::vector<field_problem>& problems_;
};

/// `limit`, from 1 to 1,000.
std::uint32_t page_limit(query_reader& q);

} // namespace troupe
