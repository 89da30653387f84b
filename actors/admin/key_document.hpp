#pragma once

#include "actors/inventory/inventory_messages.hpp"

#include <string>
#include <string_view>

// Keys as JSON. No document holds a secret: keys are named by their fingerprints.

namespace troupe {

std::string key_document(const key_view& k);

/// `{"keys":[...],"next","total","matched"}`.
std::string key_page_document(const key_page& page);

/// How a call of the upstream with one key ended.
struct check_end {
  bool ok = false;
  std::string_view word; ///< the class of the answer
  int status = 0;        ///< the upstream's; 0: none came
  std::string message;   ///< masked
  std::int64_t latency_ms = 0;
};

/// `{"check":{...},"key":{...}}`.
std::string key_check_document(const check_end& end, const key_view& k);

} // namespace troupe
