#pragma once

#include "sandbox/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sandbox {

/// The catalogue of errors that a real upstream has been seen to answer with.
/// Source of the shapes: docs/protocol/gemini.md, section 6.

/// One error, before a surface gives it a body.
struct fault {
  int status = 500;
  std::string canonical; ///< `RESOURCE_EXHAUSTED` and the like
  std::string message;
  std::string details; ///< a JSON array, or empty
  /// The wait that the answer announces, if it does.
  std::optional<duration> retry;
  /// The answer names a daily allowance: the wait lasts to the Pacific midnight.
  bool until_midnight = false;
  /// Sent word for word instead of a JSON error, when not empty.
  std::string raw;
  std::string raw_type = "text/html; charset=UTF-8";
  /// What the other two dialects say instead of `message`, when not empty.
  std::string openai_message;
  std::string openai_type;
  std::string openai_code;
  std::string openai_param;
  std::string anthropic_message;
};

struct fault_facts {
  std::string_view key;
  std::string_view model;
  std::string_view project = "sandbox-project";
  std::optional<duration> retry; ///< instead of the usual wait
  std::uint64_t allowed = 10;    ///< `quotaValue`
};

bool is_fault(std::string_view name);
std::vector<std::string_view> fault_names();

/// The error of that name; `internal` for an unknown one.
fault make_fault(std::string_view name, const fault_facts& facts);

/// A 400 with a field violation, as Google's JSON layer writes it.
fault bad_request(std::string message, std::string_view field = {});

/// "12.345s", as in `RetryInfo`.
std::string proto_duration(duration d);

std::string gemini_error(const fault& f, bool in_array);
std::string openai_error(const fault& f);
std::string anthropic_error(const fault& f);

} // namespace sandbox
