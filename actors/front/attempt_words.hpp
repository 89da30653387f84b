#pragma once

#include "actors/messages.hpp"
#include "http/headers.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/secret.hpp"
#include "protocol/client_error.hpp"
#include "protocol/gemini/classify.hpp"
#include "protocol/upstream/told_limits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the ends of calls mean, and what clients are told of them.

namespace troupe {

/// A call that ended before the upstream had answered: says nothing about the key.
gemini::verdict verdict_of(const failure& f);
client_error error_of(const failure& f);

/// An answer of status 200 that is none.
gemini::verdict faulty_answer(const client_error& e);

/// Why there is no lease. `last`: the failure of the attempt before, if there was one; it says
/// more than the pool does.
client_error error_of(const acquire_reply& reply, const std::optional<client_error>& last);

/// The upstream's circuit breaker is open.
client_error breaker_error(duration retry_in);

client_error none_usable_error();
client_error draining_error();

/// Whether another model can do better where this one ended so.
bool may_fall_back(const client_error& e);

/// What `e` means to a circuit breaker.
struct breaker_sign {
  bool host_failed = false;
  bool model_failed = false;
  bool answered = false; ///< the host is well, whatever it said
};
breaker_sign sign_of(const gemini::verdict& v, int status, const client_error* e);

/// Takes the key of a call out of what the upstream said of it: some repeat a key that they refuse,
/// and not every key looks like one.
void hide_key(std::string& text, const secret& key);

std::vector<upstream::header_field> fields_of(const http::headers& all);
std::vector<told_limit> limits_in(upstream_kind kind, const http::headers& all,
                                  std::string_view error_body);

} // namespace troupe
