#include "protocol/json/compact.hpp"

#include "protocol/json/scan.hpp"

#include <bitset>
#include <cstddef>

namespace troupe::json {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Checks and copies in one pass, without recursion: `text` may be hostile.
class compactor {
public:
  compactor(std::string& out, std::string_view text)
      : out_(out), at_(text.data()), end_(text.data() + text.size()) {}

  bool object() {
    skip_space();
    if (at_ == end_ || *at_ != '{')
      return false;
    do {
      if (!value())
        return false;
      if (opened_ && !closes_next()) {
        if (in_object() && !key())
          return false;
        continue;
      }
      while (depth_ > 0 && closes_next())
        close();
      if (depth_ > 0 && (!take(',') || (in_object() && !key())))
        return false;
    } while (depth_ > 0);
    skip_space();
    return at_ == end_;
  }

private:
  static constexpr std::size_t depth_max = 512;

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
      ++at_;
  }

  bool take(char expected) {
    if (at_ == end_ || *at_ != expected)
      return false;
    ++at_;
    out_ += expected;
    return true;
  }

  /// One scalar, or the bracket that opens a container.
  bool value() {
    skip_space();
    opened_ = false;
    if (at_ == end_)
      return false;
    switch (*at_) {
    case '{':
      return open(true);
    case '[':
      return open(false);
    case '"':
      return string();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
    }
  }

  bool open(bool is_object) {
    if (depth_ == depth_max)
      return false;
    is_object_[depth_++] = is_object;
    out_ += *at_++;
    opened_ = true;
    return true;
  }

  bool in_object() const { return is_object_[depth_ - 1]; }

  bool closes_next() {
    skip_space();
    return at_ != end_ && *at_ == (in_object() ? '}' : ']');
  }

  void close() {
    out_ += *at_++;
    --depth_;
  }

  bool key() {
    skip_space();
    if (at_ == end_ || *at_ != '"' || !string())
      return false;
    skip_space();
    return take(':');
  }

  bool literal(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size()
        || std::string_view(at_, word.size()) != word)
      return false;
    at_ += word.size();
    out_ += word;
    return true;
  }

  bool digits() {
    if (at_ == end_ || !is_digit(*at_))
      return false;
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    return true;
  }

  bool number() {
    const char* const begin = at_;
    if (*at_ == '-')
      ++at_;
    if (at_ != end_ && *at_ == '0')
      ++at_;
    else if (!digits())
      return false;
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      if (!digits())
        return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-'))
        ++at_;
      if (!digits())
        return false;
    }
    out_.append(begin, at_);
    return true;
  }

  bool string() {
    const char* const begin = at_++;
    while ((at_ = next_stop(at_, end_)) != end_) {
      if (*at_ == '"') {
        ++at_;
        out_.append(begin, at_);
        return true;
      }
      if (*at_ == '\xE2')
        ++at_;
      else if (*at_ != '\\' || !escape())
        return false;
    }
    return false;
  }

  bool escape() {
    ++at_;
    if (at_ == end_)
      return false;
    const char kind = *at_++;
    if (kind != 'u')
      return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
    const int unit = hex4();
    if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
      return false;
    if (unit < 0xD800 || unit > 0xDBFF)
      return true;
    if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u')
      return false;
    at_ += 2;
    const int low = hex4();
    return low >= 0xDC00 && low <= 0xDFFF;
  }

  int hex4() {
    if (end_ - at_ < 4)
      return -1;
    int unit = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = *at_++;
      const char lower = static_cast<char>(c | 0x20);
      if (is_digit(c))
        unit = unit * 16 + (c - '0');
      else if (lower >= 'a' && lower <= 'f')
        unit = unit * 16 + (lower - 'a' + 10);
      else
        return -1;
    }
    return unit;
  }

  std::string& out_;
  const char* at_;
  const char* const end_;
  std::bitset<depth_max> is_object_;
  std::size_t depth_ = 0;
  bool opened_ = false; ///< the last value was an opening bracket
};

} // namespace

bool append_compact_object(std::string& out, std::string_view text) {
  const auto before = out.size();
  if (compactor{out, text}.object())
    return true;
  out.resize(before);
  return false;
}

} // namespace troupe::json
