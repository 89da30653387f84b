#include "protocol/gemini/native.hpp"

namespace troupe::gemini {

bool array_splitter::complete() const {
  return at_ == place::closed;
}

bool array_splitter::feed(std::string_view bytes, std::vector<std::string_view>& elements) {
  // The views of the last feed end here: only an open element is kept.
  const bool open = at_ == place::element;
  buffer_.erase(0, open ? element_begin_ : buffer_.size());
  scanned_ = buffer_.size();
  element_begin_ = 0;
  if (at_ == place::bad)
    return false;
  buffer_ += bytes;

  for (; scanned_ < buffer_.size(); ++scanned_) {
    const char c = buffer_[scanned_];
    if (at_ != place::element) {
      if (!step_outside(c)) {
        at_ = place::bad;
        return false;
      }
      continue;
    }
    step_inside(c);
    const auto size = scanned_ + 1 - element_begin_;
    if (size > element_bytes_max_) {
      at_ = place::bad;
      return false;
    }
    if (depth_ == 0) {
      elements.push_back(std::string_view{buffer_}.substr(element_begin_, size));
      at_ = place::after_element;
    }
  }
  return true;
}

/// One byte between elements: only what an array of objects has there.
bool array_splitter::step_outside(char c) {
  if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
    return true;
  switch (at_) {
  case place::before:
    at_ = place::first;
    return c == '[';
  case place::after_element:
    at_ = c == ',' ? place::after_comma : place::closed;
    return c == ',' || c == ']';
  case place::first:
    if (c == ']') {
      at_ = place::closed;
      return true;
    }
    [[fallthrough]];
  case place::after_comma:
    at_ = place::element;
    element_begin_ = scanned_;
    depth_ = 1;
    in_string_ = escaped_ = false;
    return c == '{';
  case place::element:
  case place::closed:
  case place::bad:
    break;
  }
  return false;
}

void array_splitter::step_inside(char c) {
  if (in_string_) {
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == '"')
      in_string_ = false;
    return;
  }
  if (c == '"')
    in_string_ = true;
  else if (c == '{' || c == '[')
    ++depth_;
  else if (c == '}' || c == ']')
    --depth_;
}

} // namespace troupe::gemini
