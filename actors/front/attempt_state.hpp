#pragma once

#include "actors/core/retry.hpp"
#include "actors/front/attempts.hpp"

// What the parts of `attempts` share while they serve one request.

namespace troupe {

/// How one attempt ended.
struct attempts::attempt_end {
  gemini::verdict verdict;
  std::optional<client_error> error; ///< what the client would be told; none: it was served
  bool visible = false;              ///< the client has seen bytes of an answer
  bool gone = false;                 ///< the client left
  bool unsent = false;               ///< no byte of the call left this node
  bool proxy_failed = false;
  int status = 0; ///< the upstream's; 0: none came
  token_usage usage;
  std::vector<told_limit> told;
  duration first_byte{-1};
  duration whole{-1};

  attempt_end() {}
};

struct attempts::lease_or_error {
  std::optional<acquire_reply> lease;
  std::optional<client_error> error;
  bool gone = false;

  lease_or_error() {}
};

/// Where the answer goes: to a client, or (for `fetch`) into a string.
struct attempts::client_side {
  const serving& with;
  http::exchange* x = nullptr;
  answer_maker* answers = nullptr;
  http::cancel_source& cancel;
  std::string_view fields;
  call_notes& notes;
  std::string fetched;
  bool begun = false;   ///< the head of a stream has gone out
  time_point granted{}; ///< when the last lease came
  // Of the attempt under way: where its breakers are, and whether they know already that it goes
  // well.
  std::uint32_t upstream = 0;
  breaker_board::pass pass;
  bool told_well = false;

  client_side(const serving& s, http::exchange* exchange, answer_maker* maker,
              http::cancel_source& c, std::string_view f, call_notes& n)
      : with(s), x(exchange), answers(maker), cancel(c), fields(f), notes(n) {}

  std::string_view request_id() const {
    return x != nullptr ? x->request_id() : std::string_view{};
  }
  bool streams() const { return x != nullptr && answers->streams(); }
};

/// What has happened to the request so far.
struct attempts::course {
  std::vector<std::uint64_t> tried;
  std::vector<std::uint32_t> upstreams; ///< that may be called; those that failed leave
  std::optional<client_error> last;
  retry_policy policy;
  retry_state state;
  time_point deadline{};
  std::size_t detours = 0;  ///< leases that could not be used
  bool host_failed = false; ///< told to a breaker: of one request it counts once

  course() {}
};

} // namespace troupe
