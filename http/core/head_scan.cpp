#include "http/core/head_scan.hpp"

#include <cstring>

namespace troupe::http {

head_scan::state head_scan::look(std::string_view bytes) {
  while (scanned_ < bytes.size()) {
    if (scanned_ == line_ && line_ > begin_ && (bytes[line_] == ' ' || bytes[line_] == '\t'))
      return state::malformed;
    const auto* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      return state::incomplete;
    }
    const auto feed = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (feed == line_ || bytes[feed - 1] != '\r')
      return state::malformed;
    const bool blank = feed == line_ + 1;
    const bool first = line_ == begin_;
    line_ = scanned_ = feed + 1;
    if (!blank)
      continue;
    if (!first)
      return state::complete;
    begin_ = line_;
    if (begin_ > 2 * blank_lines_max)
      return state::malformed;
  }
  return state::incomplete;
}

} // namespace troupe::http
