#pragma once

#include "protocol/config/store.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// Readers of the values that have members of their own: limits, aliases, fallbacks, headers.
/// The value is an object already. What is wrong becomes
/// a fault, and what is returned then does not count. A member that is null says nothing.

namespace troupe::config {

/// `{"rpm": 10, "models": {"gemini-2.5-pro": {"rpd": 50}}}`, the shape of the admin API. Those of
/// all models come first, then model by model, so that equal limits are equal lists.
std::vector<limit> read_limits(const node& value, std::vector<value_fault>& faults);

/// `{"fast": "gemini-2.5-flash"}`
std::map<std::string, std::string> read_aliases(const node& value,
                                                std::vector<value_fault>& faults);

/// `{"gemini-2.5-pro": ["gemini-2.5-flash"]}`
std::map<std::string, std::vector<std::string>> read_fallbacks(const node& value,
                                                               std::vector<value_fault>& faults);

/// Names in lower case.
std::map<std::string, secret> read_headers(const node& value, std::vector<value_fault>& faults);

inline constexpr std::array limit_kinds{
    limit_kind::rpm, limit_kind::tpm, limit_kind::input_tpm,  limit_kind::output_tpm,
    limit_kind::rpd, limit_kind::tpd, limit_kind::concurrency};
constexpr std::int64_t limit_amount_max = 1'000'000'000'000;
constexpr std::size_t members_max = 1'000;      ///< aliases, fallbacks, models with limits
constexpr std::size_t fallback_models_max = 16; ///< for one model

} // namespace troupe::config
