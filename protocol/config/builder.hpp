#pragma once

#include "protocol/config/document.hpp"
#include "protocol/config/load.hpp"
#include "protocol/config/options.hpp"

#include <string>
#include <string_view>

/// Puts values where they belong, one layer after the other. Shared by the layers of
/// `load_settings`; nobody else needs it.

namespace troupe::config {

/// Where a value stands, for origins and problems.
struct place {
  config_layer layer = config_layer::file;
  std::string source;
  std::string variable = {}; ///< name of the environment variable, if it is one in a file
  std::size_t line = 0;
  bool lines = false; ///< the value's own line counts, not `line`
  /// Placeholders are left out with a warning: examples that people copy are full of them.
  bool lenient = false;
};

class builder {
public:
  explicit builder(loaded_settings& out) : out_(out) {}

  /// All of a configuration file.
  void apply_object(const node& object, const place& from);

  /// One option. `null` leaves it as it is. False: it is refused, and a problem says why.
  bool apply(const option& o, std::size_t index, const node& value, const place& from);

  /// One option from a text: a variable or a flag. Lists are JSON or separated by commas.
  bool apply_text(std::string_view path, std::string_view text, const place& from,
                  std::size_t index = 0);

  void set_keys(std::size_t upstream, std::vector<secret> keys, const place& from);

  void set_origin(const std::string& path, const place& from, std::size_t line);

  /// The first upstream of a kind; made if there is none.
  std::size_t upstream_of(upstream_kind kind);

  void problem(const place& from, std::size_t line, std::string option, std::string text,
               std::string code = "invalid_value");
  void warn(std::string text) { out_.warnings.push_back(std::move(text)); }

  loaded_settings& out() { return out_; }

private:
  void apply_members(const node& object, const std::string& prefix, const place& from);
  void apply_objects(const option& list, const node& value, const place& from);
  void unknown(const member& m, const std::string& prefix, const place& from);

  loaded_settings& out_;
};

/// The path with an index in place of `[]`.
std::string path_of(const option& o, std::size_t index);

/// A text for people, as the value that an option of this type expects. Nothing: it is JSON
/// that cannot be read; `problems` say why.
std::optional<node> node_from_text(const option& o, std::string_view text,
                                   config_problems& problems);

} // namespace troupe::config
