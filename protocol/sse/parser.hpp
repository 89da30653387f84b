#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::sse {

/// Reads server-sent events from bytes cut anywhere: CRLF, LF or CR ends; several `data:`
/// lines are joined with LF; comments and other fields are skipped; a byte order mark at the
/// very beginning is skipped; an event without its closing empty line is not delivered.
/// (WHATWG HTML, 9.2.6.)
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
  bool take_line(std::string_view& line);
  bool keep_cut_line();
  bool add_data(std::string_view value);
  void save_view();
  void overflow();

  std::size_t event_bytes_max_;
  std::string_view input_;
  std::size_t at_ = 0; ///< what of `input_` is read
  std::size_t lf_ = 0; ///< the first LF at or after `at_`, or the end; kept, so that bytes
  std::size_t cr_ = 0; ///< are searched once however many lines of the other kind there are
  std::string line_;   ///< the beginning of a line that a feed cut, or that line made whole
  bool line_cut_ = false;
  std::string data_;      ///< joined data lines of the open event, unless they are `view_`
  std::string_view view_; ///< the only data line so far, in `input_` or in `line_`
  bool has_data_ = false;
  bool has_view_ = false;
  bool begun_ = false; ///< the first line was seen, a byte order mark can no longer come
  bool skip_lf_ = false;
  bool overflowed_ = false;
};

} // namespace troupe::sse
