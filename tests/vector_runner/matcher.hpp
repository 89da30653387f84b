#pragma once

#include <nlohmann/json_fwd.hpp>

#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Compares an answer of the product with what a vector expects, by the rules of
/// tests/vectors/README.md: placeholders, bound names, JSON within strings.

namespace troupe::vectors {

using json = nlohmann::ordered_json;

/// One place where they differ.
struct difference {
  std::string path;
  std::string expected;
  std::string got;

  friend bool operator==(const difference&, const difference&) = default;
};

/// Remembers bound names, so use one for a whole vector.
class matcher {
public:
  /// With `keep_order` the keys of tool arguments, tool results and schema properties must come
  /// in the expected order too (G3).
  explicit matcher(bool keep_order = false);
  ~matcher();

  void match(const json& expected, const json& got, const std::string& path);

  /// What was found so far.
  const std::vector<difference>& differences() const { return differences_; }

  void report(std::string path, std::string expected, std::string got);

private:
  void match_object(const json& expected, const json& got, const std::string& path);
  void match_array(const json& expected, const json& got, const std::string& path);
  bool match_placeholder(const std::string& expected, const json& got);
  bool match_binding(const std::string& binding, const json& got);
  void match_text_of_json(const json& expected, const json& got, const std::string& path);

  bool keep_order_;
  std::map<std::string, std::string> bound_; ///< name to value, as JSON text
  std::vector<difference> differences_;
};

/// Parses text strictly: nothing after it, and no key twice in one object (a comparison of
/// trees would not see the first one).
std::optional<json> parse_json(const std::string& text);

} // namespace troupe::vectors
