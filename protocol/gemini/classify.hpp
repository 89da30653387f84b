#pragma once

#include "protocol/base/time.hpp"
#include "protocol/client_error.hpp"
#include "protocol/upstream/fields.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::gemini {

/// What an upstream's answer means. Source: docs/protocol/gemini.md section 6.
enum class answer_class : std::uint8_t {
  ok,
  key_invalid,
  key_suspended,
  resource_forbidden,
  key_forbidden,
  quota_day,
  quota_minute,
  quota_unknown,
  location,
  request_fault,
  model_overloaded,
  upstream_timeout,
  upstream_fault,
};

/// What the answer concerns.
enum class answer_scope : std::uint8_t { none, key, key_and_model, model, request, node };

std::string_view to_string(answer_class c);
std::string_view to_string(answer_scope s); ///< `key`, `key+model`, ... as in the vectors

struct verdict {
  answer_class what = answer_class::ok;
  answer_scope scope = answer_scope::none;
  /// The model concerned where `scope` names one; from the quota's dimensions if they tell.
  std::string model;
  /// How long to rest, counted from the answer's arrival. Fractions are kept.
  std::optional<std::chrono::milliseconds> retry_after;
  bool other_key_helps = false;
  bool model_not_offered = false; ///< `limit: 0`: this key's tier does not have the model
  std::string message;            ///< the upstream's words, unmasked
  std::string reason;             ///< ErrorInfo.reason, may be empty
  std::string project;            ///< `projects/NUM` if the body reveals it, else empty
  std::string field;              ///< the first BadRequest.fieldViolations[].field, else empty
};

/// Facts from outside the body.
struct answer_facts {
  std::string_view model{};       ///< as asked upstream
  wall_time now{};                ///< for the daily reset
  std::string_view retry_after{}; ///< header `retry-after`, seconds or an HTTP date; may be empty
  std::string_view retry_after_ms{};
  /// Values of `x-ratelimit-reset*` headers, if any.
  std::vector<std::string_view> ratelimit_resets{};
  /// All header fields: other kinds of upstreams tell in them which allowance is used up. Where
  /// they are given, `ratelimit_resets` need not be.
  std::span<const upstream::header_field> fields{};
};

/// Classifies a final answer of `status` with `body` (JSON object, array around one, or
/// garbage). Never fails: what it cannot read is classified by its status.
verdict classify(int status, std::string_view body, const answer_facts& facts);

/// The first midnight of America/Los_Angeles after `now`. By the rule in force since 2007:
/// daylight saving from the second Sunday of March to the first Sunday of November, 02:00.
wall_time next_daily_reset(wall_time now);

/// What the client is told when `v` was the last word (mapping.md section 6). `body` is the
/// upstream's, for the Gemini surface.
client_error to_client_error(const verdict& v, int status, std::string_view body);

} // namespace troupe::gemini
