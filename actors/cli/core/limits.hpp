#pragma once

#include "protocol/base/result.hpp"
#include "protocol/config/document.hpp"
#include "protocol/json/writer.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe::cli {

/// Limits of a key or a credential: of all its calls (the name of the model is empty) and of
/// those of one model. Names of limits in the order in which they are explained.
struct limit_set {
  std::map<std::string, std::map<std::string, std::int64_t>> of_model;

  bool empty() const { return of_model.empty(); }
};

/// What the node said: the value of `limits`.
limit_set read_limits(const config::node& value);

void write_limits(json::writer& out, const limit_set& limits);

/// `rpm 10, tpm 1,000; gemini-2.5-pro: rpm 5`; empty for none.
std::string limits_text(const limit_set& limits);

/// Changes `limits` as the flags say, in their order: `rpm=10`, `gemini-2.5-pro:rpm=5`,
/// `rpm=none`, and `none` for all that was there so far. Fails with `invalid_argument`.
result<void> apply_limit_flags(limit_set& limits, const std::vector<std::string>& flags);

/// Whether the first flag takes away all limits, so that what was there does not matter.
bool begins_anew(const std::vector<std::string>& flags);

} // namespace troupe::cli
