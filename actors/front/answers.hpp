#pragma once

#include "protocol/client_error.hpp"
#include "protocol/translation_options.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// How an upstream's answer becomes the client's: one object per attempt, without sockets or
/// actors. A new surface is a new pair of these; the attempt loop stays as it is.

namespace troupe {

/// An error that arrived inside an answer of status 200.
struct inner_error {
  int status;       ///< `error.code`
  std::string body; ///< `{"error":{...}}`
};

/// An answer that is taken whole before the client sees a byte of it.
class whole_answer {
public:
  virtual ~whole_answer() = default;

  /// What the client gets for the upstream's `body`; `fault::empty_response` and
  /// `fault::upstream_error` may be tried again on another key.
  virtual std::variant<std::string, inner_error, client_error> translate(std::string body) = 0;

  /// Of the last translated body.
  virtual token_usage usage() const = 0;
};

/// An answer that is passed on while it arrives.
class stream_answer {
public:
  virtual ~stream_answer() = default;

  virtual std::string_view content_type() const = 0;

  /// Takes the next bytes of the upstream's body, appends what the client shall see. An error
  /// ends the stream; what was appended before it is good.
  virtual std::optional<std::variant<inner_error, client_error>> feed(std::string_view bytes,
                                                                      std::string& out) = 0;

  /// The upstream's body ended cleanly. Appends the end, or says why there is none.
  virtual std::optional<client_error> end(std::string& out) = 0;

  /// The last bytes of a stream that had to be broken off; a cut follows.
  virtual std::string broken(const client_error& why, std::string_view request_id) const = 0;

  virtual token_usage usage() const = 0;
};

} // namespace troupe
