#pragma once

#include "protocol/config/builder.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// A variable that is set, from the process or from an env file.
struct variable {
  std::string value;
  place where;
};

using variables = std::map<std::string, variable, std::less<>>;

/// The variables of both, those of the process winning.
variables merged_environment(const config_sources& sources, config_problems& problems);

/// Null for variables that are not set or empty.
const variable* find_set(const variables& all, std::string_view name);

/// The keys or tokens that a variable lists, in JSON or separated by commas. Placeholders are
/// left out, and nothing comes of a list that cannot be read; both are told.
std::vector<secret> secrets_of(const variable& v, builder& out);

/// `TROUPE_UPSTREAMS`, before the variables that complete an upstream.
void apply_upstreams_variable(const variables& all, builder& out);

/// gemini-balance's own names; those without a meaning here are told in one warning.
void apply_gemini_balance(const variables& all, builder& out);

/// `GEMINI_API_KEYS`, `GEMINI_API_KEY`, `GOOGLE_API_KEY`, gemini-balance's `API_KEYS`: the
/// first of them that is set, in the order GEMINI_API_KEYS, API_KEYS, GEMINI_API_KEY,
/// GOOGLE_API_KEY, gives the keys of the first Gemini upstream. `OPENAI_API_KEYS` and
/// `ANTHROPIC_API_KEYS` give those of the first upstream of that kind.
void apply_key_variables(const variables& all, builder& out);

/// `TROUPE_...`, one per option. Unknown ones are told with the nearest known name.
void apply_troupe_variables(const variables& all, builder& out);

/// Names in the env file that nobody here knows, in one warning.
void warn_of_unknown_entries(const variables& all, builder& out);

/// True for a variable that gemini-balance knows.
bool is_gemini_balance_name(std::string_view name);

} // namespace troupe::config
