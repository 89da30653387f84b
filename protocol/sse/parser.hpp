#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::sse {

/// Reads server-sent events from bytes cut anywhere: CRLF, LF or CR ends; several `data:`
/// lines are joined with LF; comments and other fields are skipped; an event without its
/// closing empty line is not delivered. (WHATWG HTML, 9.2.6.)
///
/// Memory is one event at most. When an event lies whole in one feed with one data line, its
/// payload is a view of the fed bytes: nothing is copied.
class parser {
public:
  explicit parser(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}

  /// Gives the parser the next bytes; then call `next` until it returns false. The bytes must
  /// live until then.
  void feed(std::string_view bytes);

  /// The payload of the next whole event, valid until the next call. False: feed more.
  bool next(std::string_view& payload);

  /// An event was over its bound; nothing more will come.
  bool overflowed() const { return overflowed_; }

  /// True when no unfinished event is pending.
  bool idle() const;

private:
  std::size_t event_bytes_max_;
  std::string_view input_;
  std::string line_; ///< the beginning of a line that a feed cut
  std::string data_; ///< joined data lines of the open event
  bool has_data_ = false;
  bool skip_lf_ = false;
  bool overflowed_ = false;
};

} // namespace troupe::sse
