#pragma once

#include "protocol/translation_options.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Requests in OpenAI's or Anthropic's protocol that go to an upstream of the same protocol:
/// bodies pass byte for byte but for the model's name; what affinity, quota and truth need is
/// read beside that.

namespace troupe::upstream {

/// What a client's body says at its outermost level. Of members with one name the last counts,
/// `null` is absent.
struct forward_facts {
  bool well_formed = false; ///< a JSON object; else all below is empty
  std::string model;
  bool stream = false;
  bool has_previous_response_id = false; ///< also where it is no string
  std::string previous_response_id;
};

forward_facts scan_forward(std::string_view body);

/// `body` with `model` as the value of every outermost member of that name, or with such a
/// member in front if it has none; everything else byte for byte.
///
/// @param body  a JSON object, as `scan_forward` found; other text comes back as it is
std::string with_model(std::string_view body, std::string_view model);

/// What one whole answer, or one event of a stream, tells.
struct forward_scan {
  bool well_formed = false; ///< one JSON object
  bool is_error = false;
  int error_status = 0; ///< what the error stands for, if it is one
  /// Nothing was answered and no reason is given: neither choices nor content nor output.
  bool empty = false;
  bool finished = false; ///< some choice has a reason for its end
  std::string id;        ///< of the response, for `previous_response_id`
  std::string type;      ///< of an event, may be empty
  token_usage usage;
};

/// @param kind  `openai` or `anthropic`: where usage stands and how it is summed
forward_scan scan_whole(upstream_kind kind, std::string_view body);

} // namespace troupe::upstream
