#pragma once

#include "protocol/client_error.hpp"
#include "protocol/sse/parser.hpp"
#include "protocol/upstream/forward.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::upstream {

/// Which events a stream is made of, and so what ends it.
enum class forward_form : std::uint8_t {
  chat,      ///< chat and legacy completions: a finish reason or `[DONE]`
  responses, ///< `response.completed`, `response.incomplete` or `response.failed`
  messages,  ///< Anthropic's: `message_stop`
  other,     ///< we know no end; any event will do
};

/// Of the upstream's path, with or without query.
forward_form form_of(std::string_view path);

/// An error that came under a good status, for `classify`.
struct forward_error {
  int status = 0; ///< what it stands for
  std::string body;
};

using forward_fault = std::variant<forward_error, client_error>;

/// Passes a stream on: every event is framed anew as one `data:` line, with an `event:` line
/// before it where the protocol has one (its name is the event's own `type`). Comments, ids and
/// retry times, which these protocols give no meaning, are left out, so that nothing becomes
/// visible before the first event does. What is passed on was read first: an error, or bytes that
/// are no JSON, never reach the client as if they were an answer.
///
/// Memory is one event at most.
class forward_stream {
public:
  forward_stream(forward_form form, std::size_t event_bytes_max)
      : events_(event_bytes_max), form_(form) {}

  /// Takes the next bytes, appends whole events to `out`. A fault ends the stream; what was
  /// appended before it is good.
  std::optional<forward_fault> feed(std::string_view bytes, std::string& out);

  /// The upstream's body ended cleanly. Says why that is no end, if it is none.
  std::optional<client_error> end(std::string& out);

  /// The last event of a stream that broke: the upstream's own where it told of the break by
  /// itself, and the words are fit for a client.
  std::string broken(const client_error& why, std::string_view request_id) const;

  const token_usage& usage() const { return usage_; }
  std::string_view response_id() const { return response_id_; } ///< empty: none seen yet

private:
  std::optional<forward_fault> take(std::string_view event, std::string& out);
  void take_done(std::string& out);
  void note(const forward_scan& scan);
  void append_event(std::string_view event, std::string_view type, std::string& out) const;

  sse::parser events_;
  forward_form form_;
  token_usage usage_;
  std::string response_id_;
  std::string failed_event_; ///< framed: by which the upstream told of its failure
  std::uint64_t passed_ = 0; ///< events that the client has got
  bool finished_ = false;    ///< an end of the protocol was seen
  bool done_ = false;        ///< `[DONE]` was seen: nothing can follow
};

} // namespace troupe::upstream
