#pragma once

#include "protocol/config/document.hpp"
#include "protocol/config/options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// Why a value, or an element of it, is refused.
struct value_fault {
  std::size_t line;
  std::string text;
  std::string_view code = "invalid_value"; ///< as of `config_problem`
};

struct store_outcome {
  std::vector<value_fault> faults; ///< not empty: the field is unchanged
  std::size_t placeholders = 0;    ///< left out, where this was allowed
  std::size_t repeated = 0;        ///< keys that stood twice, left out
};

/// Checks `value` against what the option allows and puts it into `target`. With `lenient`
/// placeholders are left out; otherwise they are faults.
store_outcome store(const option& o, const field& target, const node& value, bool lenient);

/// True for what example files hold instead of a key or a credential: `sk-123456`,
/// `AIzaSyxxxxxxxx`, `your-key`, `<key>`. Never true for what an upstream issues.
bool is_placeholder(std::string_view text);

/// Headers that the gateway itself sets; none of them can be configured.
bool is_reserved_header(std::string_view name);

/// A client's or operator's secret needs so many characters.
constexpr std::size_t credential_length_min = 8;
constexpr std::size_t secret_length_max = 4096;

constexpr std::size_t given_name_length_max = 64; ///< of upstreams and credentials
constexpr std::size_t path_length_max = 4096;
constexpr std::size_t texts_max = 1'000; ///< elements of a list of texts
constexpr std::size_t text_length_max = 256;

} // namespace troupe::config
