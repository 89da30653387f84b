#pragma once

#include "sandbox/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// The port between the HTTP server and what is said over it.

struct header {
  std::string_view name;
  std::string_view value;
};

/// One request. The views live until `application::answer` returns.
struct request {
  std::string_view method;
  std::string_view path;  ///< still percent-encoded, without the query
  std::string_view query; ///< without the question mark
  std::vector<header> headers;
  std::string_view body;
  bool keep_alive = true;
  bool http_1_0 = false;
  std::size_t on_connection = 1; ///< the how-manieth request of its connection
  std::string_view source;       ///< the address of the other end

  /// The first header of that name in any case, or nothing.
  std::string_view get(std::string_view name) const;
};

/// What a connection does next.
enum class act {
  send,  ///< write the bytes, then ask for the next step
  keep,  ///< the reply is complete: wait for another request
  close, ///< end the connection in order (FIN)
  reset, ///< end it brutally (RST)
  hang,  ///< do nothing until the client leaves
};

/// One step of a reply that takes time. `wait` counts from the moment at which
/// the step before was due, so that a paced stream does not drift.
struct step {
  duration wait{};
  std::string bytes; ///< written at the due moment, before an ending takes effect
  act then = act::send;
  bool flush = false; ///< hand the bytes to the kernel before the next step
};

/// How a reply ended.
enum class departure {
  delivered,   ///< everything was handed to the kernel
  client_left, ///< the client closed the connection first
  broken,      ///< we broke it, as the script says
};

/// How a reply ended, for the counters and the judge.
struct ending {
  int status = 0;              ///< 0: no HTTP answer was given
  std::string_view scripted{}; ///< the script's word for it, if any
  departure how = departure::delivered;
  std::optional<duration> retry{}; ///< the wait that the answer announced
  bool until_midnight = false;
  std::uint64_t output_tokens = 0;
};

/// A reply that is played step by step. Owned and called by one connection, on
/// its loop's thread.
class performance {
public:
  virtual ~performance() = default;
  /// Appends to `next.bytes`; `next` comes empty.
  virtual void advance(step& next) = 0;
  /// Called exactly once, when the last byte is out or nobody wants it any more.
  virtual void ended(departure how) = 0;
};

/// What the application makes of a request: bytes at once, or a performance.
struct reply {
  act then = act::keep; ///< after the bytes, when there is no `rest`
  std::unique_ptr<performance> rest;
};

/// Answers requests. Called from all loops at once: thread-safe.
class application {
public:
  virtual ~application() = default;
  /// Appends what can be said at once to `out`.
  virtual reply answer(const request& r, std::string& out) = 0;
  virtual void connection_opened() = 0;
  virtual void connection_closed() = 0;
};

/// True when both are the same word in any case (ASCII).
bool same_word(std::string_view a, std::string_view b);

} // namespace sandbox
