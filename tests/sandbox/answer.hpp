#pragma once

#include "sandbox/faults.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sandbox {

/// The events of a streamed answer, in the form that goes over the wire.
class event_source {
public:
  virtual ~event_source() = default;
  /// Appends the next event; false when there is none left.
  virtual bool next(std::string& out) = 0;
  /// An event that reports an error in the middle of this kind of stream.
  virtual std::string error_event(const fault& f) const = 0;
  /// How many tokens of output the events so far were.
  virtual std::uint64_t output_tokens() const = 0;
};

/// One event again and again, then a last one: costs nothing to make.
std::unique_ptr<event_source> repeat(std::string event, std::uint64_t times, std::string last,
                                     std::uint64_t output_tokens);

/// What a surface has to say, before a rule bends it.
struct answer {
  int status = 200;
  std::string content_type = "application/json; charset=UTF-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                     ///< whole, when there are no events
  std::unique_ptr<event_source> events; ///< a stream
  std::uint64_t tokens_per_event = 1;   ///< for `tokens_per_second`
  std::string_view scripted;            ///< the script's word for it; a literal or kept by the rule
  std::optional<duration> retry;
  bool until_midnight = false;
  std::uint64_t output_tokens = 0; ///< of a whole answer; events count their own
};

/// The text of an answer and how a stream divides it.
class text_plan {
public:
  /// With `event_bytes`, filler of that size per event; else `text`, divided
  /// into `events` pieces (0: into as many as it comfortably has) at character
  /// boundaries.
  text_plan(std::string text, std::uint64_t events, std::uint64_t event_bytes);

  std::uint64_t pieces() const { return pieces_; }
  std::string piece(std::uint64_t i) const;
  std::string whole() const;
  /// The first so many pieces, or all.
  std::string first(std::uint64_t pieces) const;

private:
  std::size_t boundary(std::uint64_t i) const;
  std::string text_;
  std::uint64_t pieces_;
  std::uint64_t piece_bytes_;
};

inline constexpr std::size_t bytes_per_token = 4;
/// How many bytes of a prompt two requests must share for the second to find it cached.
inline constexpr std::size_t prefix_bytes = 4096;

/// How many tokens the sandbox says a text has, rounded up.
std::uint64_t tokens_of(std::string_view text);

/// The first characters of a text, at most `bytes` of them, for an echo.
std::string beginning_of(std::string_view text, std::size_t bytes);

} // namespace sandbox
