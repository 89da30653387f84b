#pragma once

#include "protocol/base/limit.hpp"
#include "protocol/translation_options.hpp"
#include "protocol/upstream/fields.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::upstream {

/// A limit that an upstream named by itself.
struct told_limit {
  limit_kind kind = limit_kind::rpm;
  std::uint64_t amount = 0;
  std::string model; ///< empty: the one that was asked for

  friend bool operator==(const told_limit&, const told_limit&) = default;
};

/// Above this an amount is no limit but a number that stands for none.
constexpr std::uint64_t told_limit_max = 1'000'000'000'000;

/// What the fields of an answer tell, and, of Gemini, what the body of a throttle tells
/// (`QuotaFailure`; empty for other answers). Each kind and model once: the smallest amount, as
/// that is the one that binds. Amounts that make no sense, and 0, are passed over.
///
///   openai     `x-ratelimit-limit-{requests,tokens}`, also with `-minute` or `-day` behind it.
///              Without, a limit whose reset is an hour away or more is taken for one of a day.
///   anthropic  `anthropic-ratelimit-{requests,input-tokens,output-tokens}-limit`
std::vector<told_limit> told_limits(upstream_kind kind, std::span<const header_field> fields,
                                    std::string_view error_body);

/// Whether a field of this name could tell a limit: costs a look at its first letters, so that
/// answers without such fields are not read for them.
inline bool may_tell_limit(std::string_view name) {
  return begins_with(name, "x-ratelimit-limit-") || begins_with(name, "anthropic-ratelimit-");
}

} // namespace troupe::upstream
