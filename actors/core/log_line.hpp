#pragma once

#include "protocol/base/log.hpp"
#include "protocol/base/time.hpp"

#include <string>
#include <string_view>

/// What one line of a log looks like. Whatever a text holds, it stays one line, and what
/// looks like a secret is masked: the last line of defence, after everybody who should not
/// have put one there.

namespace troupe {

struct log_record {
  wall_time at{};
  log_area area = log_area::http;
  log_level level = log_level::info;
  std::string request_id; ///< may be empty
  std::string text;
};

/// `2026-01-31T23:59:59.250Z warning upstream [req-1] text`, without an end of line. Control
/// characters are written as escapes.
std::string text_line(const log_record& r);

/// A JSON object with `time`, `level`, `area`, `request_id` (if there is one) and `text`,
/// without an end of line. Always valid: bytes that are not UTF-8 become U+FFFD.
std::string json_line(const log_record& r);

/// Masks what follows `AIza`, `AQ.`, `sk-` at the beginning of a word, after `Bearer`, and the
/// value of a `key=` in a query; the names stay, `***` stands for the rest. Ids of keys
/// (`key_...`) are no secrets.
std::string mask_secrets(std::string_view text);

} // namespace troupe
