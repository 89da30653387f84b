#pragma once

#include "actors/inventory/answer.hpp"
#include "protocol/json/tree.hpp"
#include "storage/core/key_item.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Takes members out of one object of a body, and collects everything that is wrong with them,
/// each under its path. Texts of problems repeat no value. A member that is absent gives nothing;
/// `null` empties a text or a list, and is wrong for anything else.
class body_reader {
public:
  /// `object` may be anything: what is no object is a problem, and has no members.
  body_reader(const json::tree& object, std::string path, std::vector<field_problem>& problems);

  std::optional<bool> boolean(std::string_view name);
  std::optional<std::string> text(std::string_view name);
  std::optional<std::vector<std::string>> texts(std::string_view name);
  /// Within both bounds.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  /// The member, whatever it is; null: it is absent.
  const json::tree* any(std::string_view name);

  std::string path_of(std::string_view name) const;
  void fault(std::string_view name, std::string_view code, std::string text);

  /// Every member that nobody took is a problem.
  void refuse_rest();

  std::vector<field_problem>& problems() { return problems_; }

private:
  void wrong_type(std::string_view name, std::string_view wanted, const json::tree& is);

  const json::tree& object_;
  std::string path_;
  std::vector<field_problem>& problems_;
  std::vector<std::string_view> taken_;
};

/// A name that came from outside, fit for an error text. Whoever sent it may have put a secret in
/// its place, so only the beginning of a long one is shown.
std::string shown_name(std::string_view name, std::size_t bytes_max = 32);

/// `{"rpm":10,"models":{"gemini-2.5-pro":{"rpm":5}}}`; `null` is no limit.
std::optional<std::vector<storage::limit>> read_limits(body_reader& body);

/// A span in milliseconds, such as `"10m"`, of at least a millisecond; a problem, and nothing, if
/// it is absent.
std::optional<std::int64_t> read_span(body_reader& body, std::string_view name);

} // namespace troupe
