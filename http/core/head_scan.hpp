#pragma once

#include <cstddef>
#include <string_view>

namespace troupe::http {

/// Finds the end of a request's head while it arrives, and refuses at once what must never
/// be guessed at: lines that do not end in CR LF, and folded lines (RFC 9112, 2.2 and 5.2).
/// Two readers that disagree about where a line ends are how requests are smuggled. Looks
/// at each byte once.
class head_scan {
public:
  enum class state { incomplete, complete, malformed };

  /// `bytes`: everything from the request's first byte; grows from call to call.
  state look(std::string_view bytes);

  /// Empty lines before the request line, which are ignored (RFC 9112, 2.2).
  std::size_t begin() const { return begin_; }

  /// One past the empty line that ends the head. After `complete`.
  std::size_t end() const { return line_; }

private:
  static constexpr std::size_t blank_lines_max = 4;

  std::size_t begin_ = 0;
  std::size_t line_ = 0;    ///< where the line that is looked at begins
  std::size_t scanned_ = 0; ///< no LF before this
};

} // namespace troupe::http
