#pragma once

#include "protocol/config/settings.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// The option table: the one place that knows which options exist. Parsing, `--help`, error
/// texts, the names of environment variables and the test of `configs/troupe.json` follow it.

namespace troupe::config {

enum class option_type : std::uint8_t {
  boolean,
  integer,
  span,  ///< a duration
  bytes, ///< a size
  text,
  path, ///< of a file or directory
  url,
  address,      ///< where to listen
  choice,       ///< one of `choices`
  choices,      ///< a list of some of `choices`
  texts,        ///< a list
  origins,      ///< a list of browser origins
  secrets,      ///< a list of keys
  secret_text,  ///< one secret
  digest,       ///< SHA-256 in hex
  zone,         ///< a time zone by its name
  header_names, ///< a list of names of headers
  proxies,      ///< a list of proxies; their user and password are secret
  headers,      ///< an object of header names and values
  limits,       ///< an object of limits, with more of them by model
  aliases,      ///< an object of models by name
  fallbacks,    ///< an object of lists of models by model
  objects,      ///< a list of objects, whose options are in the table as `path[].name`
  json,         ///< any list of objects, kept as text
};

/// An enum, as its place among the choices.
struct choice_field {
  void* target;
  std::size_t (*get)(const void*);
  void (*set)(void*, std::size_t);
};

/// Switches, one per choice.
using switches_field = std::vector<bool*>;

/// Where a value lives.
using field = std::variant<
    bool*, std::uint32_t*, std::size_t*, duration*, std::string*, std::vector<std::string>*,
    std::vector<secret>*, secret*, std::map<std::string, secret>*, listen_address*,
    std::vector<limit>*, std::map<std::string, std::string>*,
    std::map<std::string, std::vector<std::string>>*, choice_field, switches_field, std::monostate>;

struct option {
  std::string_view path; ///< `server.body_bytes_max`; `upstreams[].name` for what is in a list
  option_type type;
  std::string_view fallback; ///< the default, as the file would say it
  std::string_view doc;      ///< one sentence
  std::int64_t least = 0;    ///< range of integers, bytes, and spans (in milliseconds)
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string_view choices = {};                         ///< separated by `|`
  bool live = false;                                     ///< a change applies without a restart
  bool required = false;                                 ///< of an object in a list
  field (*bind)(settings&, std::size_t index) = nullptr; ///< index: which object of its list
};

/// Every option, in the order in which they are explained.
std::span<const option> options();

/// Null if there is none. An index in the path (`upstreams[2].name`) is ignored.
const option* find_option(std::string_view path);

/// The variable that sets an option: `TROUPE_` and the path in capitals, `_` for `.`. Empty
/// for options inside lists: their list has a variable, which holds JSON.
std::string environment_name(const option& o);

/// What is allowed: `a duration such as "30s", from 1s to 1h`.
std::string allowed(const option& o);

/// What the option is set to in `s`, as the file would say it. Secrets print as `"***"`.
std::string show(const option& o, const settings& s, std::size_t index = 0);

std::vector<std::string_view> choices_of(const option& o);

/// Length of a list of objects (`upstreams`, `models.routes`), by its path.
std::size_t list_size(const settings& s, std::string_view list);

void resize_list(settings& s, std::string_view list, std::size_t count);

/// How many objects a list may hold.
std::size_t list_size_max(std::string_view list);

} // namespace troupe::config
