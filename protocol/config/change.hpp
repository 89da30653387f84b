#pragma once

#include "protocol/config/load.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Changing the configuration of a running node: pure functions over the database layer, which
/// is one JSON document in the shape of the configuration file, and over all layers together.
///
/// Stable codes of problems: `invalid_json`, `unknown_option`, `wrong_type`, `out_of_range`,
/// `invalid_value`, `missing`, `duplicate`, `relation` (between options), `fixed` (environment or
/// command line have the option), `not_here` (keys, credentials, what is needed before the
/// database opens), `masked_secret` (a mask for which there is no secret to keep), `more` (there
/// are too many to tell them all).

namespace troupe::config {

/// One option of which a change makes the value in force, its layer, or what the database says
/// different. Where a stronger layer has it, `before` and `after` are the same.
struct setting_change {
  std::string path;
  std::string before; ///< value in force, JSON, secrets as "***"; `null`: there was none
  std::string after;
  config_layer layer_before = config_layer::defaults;
  config_layer layer_after = config_layer::defaults;
  bool live = false; ///< in force without a restart
};

/// What a change would make of everything.
struct settings_change {
  config_problems problems; ///< not empty: nothing of the rest may be used
  std::string document;     ///< the new database layer; compact JSON, holds secrets
  loaded_settings loaded;
  std::vector<setting_change> changes; ///< empty: nothing is different
};

/// Applies `patch`, an RFC 7396 merge patch (strict JSON of at most 1 MiB; `null` takes a value out
/// of the layer), to `document` (empty: none), and loads all layers. `sources` are without the
/// database layer. Everything that is wrong is told at once, with the option's path. A value of a
/// header that is masked (`***`, or any with three asterisks in a row) means the one in force.
/// What has no place in `document` (see `load_with_database`) is left out of the new one, too,
/// which a warning says.
settings_change plan_change(const config_sources& sources, std::string_view document,
                            std::string_view patch);

/// The same with a whole document in place of the present one: to restore a version. What it says
/// of an option that is fixed is kept, without effect.
settings_change plan_document(const config_sources& sources, std::string_view document,
                              std::string_view next);

/// As `load_settings`, but a database layer that a later version wrote, or that does not go with
/// a new file, does not keep a node from starting: what is wrong in it is left out, as a warning.
/// Problems are those of the other layers.
loaded_settings load_with_database(const config_sources& sources);

/// The document with secret values as "***". `{}` for none.
std::string masked_document(std::string_view document);

struct document_difference {
  std::string path;
  std::string before; ///< JSON, masked; `null`: not there
  std::string after;
};

std::vector<document_difference> diff_documents(std::string_view from, std::string_view to);

enum class applies { live, restart };

/// The options, of those that apply so, whose values differ.
std::vector<std::string> differing_options(const loaded_settings& a, const loaded_settings& b,
                                           applies how);

/// An option as it is shown.
struct setting_description {
  std::string path;
  std::string value;    ///< JSON, secrets as "***"
  std::string fallback; ///< JSON
  std::string_view type;
  std::string allowed;
  std::string_view doc;
  bool live = false;
  bool fixed = false; ///< by environment or command line
  std::string_view layer;
  std::string source; ///< `troupe.json:12`, `TROUPE_LISTEN`, `database`, `default`
};

/// Every option, those in lists once for each element.
std::vector<setting_description> describe_settings(const loaded_settings& loaded);

/// `default`, `file`, `database`, `environment`, `command_line`.
std::string_view to_string(config_layer layer);

} // namespace troupe::config
