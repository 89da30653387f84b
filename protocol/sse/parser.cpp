#include "protocol/sse/parser.hpp"

#include "protocol/base/result.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::sse {
namespace {

/// What a data line holds beyond its value: "data: ".
constexpr std::size_t field_bytes = 6;

std::size_t find(std::string_view text, char wanted, std::size_t from) {
  const auto* hit =
      static_cast<const char*>(std::memchr(text.data() + from, wanted, text.size() - from));
  return hit ? static_cast<std::size_t>(hit - text.data()) : text.size();
}

} // namespace

void parser::feed(std::string_view bytes) {
  TROUPE_ASSERT(at_ == input_.size());
  if (overflowed_ || bytes.empty())
    return;
  input_ = bytes;
  at_ = 0;
  if (std::exchange(skip_lf_, false) && bytes.front() == '\n')
    at_ = 1;
  lf_ = find(input_, '\n', at_);
  cr_ = find(input_, '\r', at_);
}

bool parser::next(std::string_view& payload) {
  if (!has_view_ && !has_data_)
    data_.clear();
  for (std::string_view line; take_line(line);) {
    if (line.empty()) {
      if (has_view_ || has_data_) {
        payload = has_view_ ? view_ : std::string_view{data_};
        has_view_ = has_data_ = false;
        return true;
      }
      continue;
    }
    if (!line.starts_with("data"))
      continue;
    line.remove_prefix(4);
    if (!line.empty()) {
      if (line.front() != ':')
        continue;
      line.remove_prefix(line.size() > 1 && line[1] == ' ' ? 2 : 1);
    }
    if (!add_data(line))
      return false;
  }
  return false;
}

bool parser::idle() const {
  return at_ == input_.size() && !has_view_ && !has_data_ && (!line_cut_ || line_.front() == ':');
}

/// The next whole line without its end; false when the input holds none.
bool parser::take_line(std::string_view& line) {
  if (at_ == input_.size()) {
    save_view();
    return false;
  }
  if (lf_ < at_)
    lf_ = find(input_, '\n', at_);
  if (cr_ < at_)
    cr_ = find(input_, '\r', at_);
  const std::size_t end = std::min(lf_, cr_);
  if (end == input_.size())
    return keep_cut_line();

  line = input_.substr(at_, end - at_);
  at_ = end + 1;
  if (end == cr_) {
    if (at_ == input_.size())
      skip_lf_ = true;
    else if (input_[at_] == '\n')
      ++at_;
  }
  if (line_cut_) {
    if (line_.size() + line.size() > event_bytes_max_ + field_bytes) {
      overflow();
      return false;
    }
    line_.append(line);
    line = line_;
    line_cut_ = false;
  }
  if (!std::exchange(begun_, true) && line.starts_with("\xEF\xBB\xBF"))
    line.remove_prefix(3);
  return true;
}

/// Keeps the input's last bytes, a line without its end, until the rest comes.
bool parser::keep_cut_line() {
  const auto rest = input_.substr(at_);
  at_ = input_.size();
  save_view(); // before `line_` is used again: the view may lie there
  if (!line_cut_)
    line_.clear();
  if (line_.size() + rest.size() > event_bytes_max_ + field_bytes) {
    overflow();
    return false;
  }
  line_.append(rest);
  line_cut_ = true;
  return false;
}

bool parser::add_data(std::string_view value) {
  if (!has_view_ && !has_data_) {
    if (value.size() > event_bytes_max_) {
      overflow();
      return false;
    }
    view_ = value;
    has_view_ = true;
    return true;
  }
  save_view();
  if (data_.size() + 1 + value.size() > event_bytes_max_) {
    overflow();
    return false;
  }
  data_ += '\n';
  data_ += value;
  return true;
}

/// The bytes that `view_` shows are about to go: copies them.
void parser::save_view() {
  if (!std::exchange(has_view_, false))
    return;
  data_.assign(view_);
  has_data_ = true;
}

void parser::overflow() {
  overflowed_ = true;
  at_ = input_.size();
  has_view_ = has_data_ = false;
  line_ = {};
  data_ = {};
}

} // namespace troupe::sse
