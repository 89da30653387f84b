#include "protocol/config/document.hpp"

#include "protocol/config/names.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace troupe::config {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Length of the well-formed UTF-8 sequence at the start of `s`, 0 if there is none
/// (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view s) {
  const auto at = [&](std::size_t i) {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned lead = at(0);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!tail(1) || !tail(2) || (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F))
      return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3) || (lead == 0xF0 && at(1) < 0x90)
        || (lead == 0xF4 && at(1) > 0x8F))
      return 0;
    return 4;
  }
  return 0;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

/// One reading of one text. After `fail` everything returns false.
class reader {
public:
  reader(std::string_view text, std::string_view source, config_problems& problems)
      : text_(text), source_(source), problems_(problems) {}

  std::optional<node> read() {
    if (const auto zero = text_.find('\0'); zero != std::string_view::npos) {
      const auto lines = std::count(text_.begin(), text_.begin() + at(zero), '\n');
      fail(static_cast<std::size_t>(lines) + 1, "holds a zero byte: this is no text file");
      return std::nullopt;
    }
    if (text_.starts_with("\xEF\xBB\xBF"))
      at_ = 3;
    node root;
    if (!skip() || !value(root, 0) || !skip())
      return std::nullopt;
    if (at_ != text_.size()) {
      fail("something follows the end of the JSON value");
      return std::nullopt;
    }
    return root;
  }

private:
  bool fail(std::string text) { return fail(line_, std::move(text)); }

  bool fail(std::size_t line, std::string text, std::string code = "invalid_json") {
    problems_.push_back({std::string{source_}, line, {}, std::move(text), std::move(code)});
    return false;
  }

  bool ends() const { return at_ >= text_.size(); }
  char peek() const { return ends() ? '\0' : text_[at_]; }

  bool take(char c) {
    if (ends() || text_[at_] != c)
      return false;
    ++at_;
    return true;
  }

  /// Skips white space and comments.
  bool skip() {
    while (!ends()) {
      const char c = text_[at_];
      if (c == '\n')
        ++line_;
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else if (text_.substr(at_, 2) == "//") {
        at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      } else if (text_.substr(at_, 2) == "/*") {
        const auto end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos)
          return fail("the comment that begins here has no end");
        line_ += static_cast<std::size_t>(
            std::count(text_.begin() + at(at_), text_.begin() + at(end), '\n'));
        at_ = end + 2;
      } else {
        break;
      }
    }
    return true;
  }

  static std::ptrdiff_t at(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

  bool value(node& out, std::size_t depth) {
    if (depth > document_depth_max)
      return fail("nested deeper than " + std::to_string(document_depth_max) + " levels");
    out.line = line_;
    switch (peek()) {
    case '{':
      return object(out, depth);
    case '[':
      return list(out, depth);
    case '"':
      out.kind = node_kind::text;
      return string(out.text);
    case 't':
      out.truth = true;
      return word("true", node_kind::boolean, out);
    case 'f':
      return word("false", node_kind::boolean, out);
    case 'n':
      return word("null", node_kind::null, out);
    default:
      break;
    }
    if (peek() == '-' || is_digit(peek()))
      return number(out);
    if (ends())
      return fail("the text ends where a value is expected");
    return fail("a value is expected here: a text in double quotes, a number, true, false, "
                "null, [ or {");
  }

  bool word(std::string_view expected, node_kind kind, node& out) {
    if (text_.substr(at_, expected.size()) != expected)
      return fail("an unknown word; texts stand in double quotes");
    at_ += expected.size();
    out.kind = kind;
    return true;
  }

  bool number(node& out) {
    const auto begin = at_;
    take('-');
    if (!take('0') && !digits())
      return fail("a number needs a digit here");
    bool whole = true;
    if (take('.')) {
      whole = false;
      if (!digits())
        return fail("a number needs a digit after its point");
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (!take('+'))
        take('-');
      if (!digits())
        return fail("a number needs a digit in its exponent");
    }
    out.text = text_.substr(begin, at_ - begin);
    out.kind = node_kind::number;
    const auto end = out.text.data() + out.text.size();
    if (whole && std::from_chars(out.text.data(), end, out.whole).ec == std::errc{})
      out.kind = node_kind::integer;
    return true;
  }

  bool digits() {
    const auto begin = at_;
    while (is_digit(peek()))
      ++at_;
    return at_ != begin;
  }

  bool string(std::string& out) {
    const auto begin = line_;
    ++at_;
    for (;;) {
      if (ends() || peek() == '\n')
        return fail(begin, "the text that begins here has no closing quote on its line");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!escape(out))
          return false;
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20)
        return fail("a control character inside a text; write it as \\u and four hex digits");
      const auto length = utf8_length(text_.substr(at_));
      if (length == 0)
        return fail("bytes that are not UTF-8");
      out.append(text_, at_, length);
      at_ += length;
    }
  }

  bool escape(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (take('u')) {
      std::uint32_t high = 0;
      if (!hex(high))
        return false;
      if (high < 0xD800 || high > 0xDFFF) {
        append_utf8(out, high);
        return true;
      }
      std::uint32_t low = 0;
      if (high > 0xDBFF || text_.substr(at_, 2) != "\\u")
        return fail("half of a surrogate pair");
      at_ += 2;
      if (!hex(low))
        return false;
      if (low < 0xDC00 || low > 0xDFFF)
        return fail("half of a surrogate pair");
      append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
      return true;
    }
    const auto which = ends() ? std::string_view::npos : names.find(peek());
    if (which == std::string_view::npos)
      return fail("an unknown escape; a backslash itself is written \\\\");
    out += meanings[which];
    ++at_;
    return true;
  }

  bool hex(std::uint32_t& out) {
    const auto four = text_.substr(at_, 4);
    const auto [end, code] = std::from_chars(four.data(), four.data() + four.size(), out, 16);
    if (four.size() != 4 || code != std::errc{} || end != four.data() + 4)
      return fail("\\u needs four hex digits");
    at_ += 4;
    return true;
  }

  bool list(node& out, std::size_t depth) {
    out.kind = node_kind::list;
    ++at_;
    if (!skip())
      return false;
    if (take(']'))
      return true;
    for (;;) {
      if (!value(out.items.emplace_back(), depth + 1) || !skip())
        return false;
      if (take(']'))
        return true;
      if (!comma(out.line, ']') || !skip())
        return false;
    }
  }

  bool object(node& out, std::size_t depth) {
    out.kind = node_kind::object;
    ++at_;
    if (!skip())
      return false;
    if (take('}'))
      return true;
    std::map<std::string, std::size_t, std::less<>> lines;
    for (;;) {
      if (peek() != '"')
        return fail(ends() ? "the object of line " + std::to_string(out.line) + " has no end"
                           : "a name in double quotes is expected here");
      member m;
      m.line = line_;
      if (!string(m.name) || !skip())
        return false;
      if (!take(':'))
        return fail("a colon is expected after the name");
      if (!skip() || !value(m.value, depth + 1) || !skip())
        return false;
      const auto [first, is_new] = lines.emplace(m.name, m.line);
      if (is_new)
        out.members.push_back(std::move(m));
      else
        (void)fail(m.line,
                   printable_name(m.name) + " stands here again; it is first on line "
                       + std::to_string(first->second),
                   "duplicate");
      if (take('}'))
        return true;
      if (!comma(out.line, '}') || !skip())
        return false;
    }
  }

  bool comma(std::size_t opened, char closing) {
    if (ends())
      return fail("what begins on line " + std::to_string(opened) + " has no closing " + closing);
    const auto line = line_;
    if (!take(','))
      return fail(std::string{"a comma or "} + closing + " is expected here");
    if (!skip())
      return false;
    if (peek() == closing)
      return fail(line, std::string{"a comma stands before the closing "} + closing);
    return true;
  }

  std::string_view text_;
  std::string_view source_;
  config_problems& problems_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

} // namespace

const node* node::find(std::string_view name) const {
  for (const auto& m : members)
    if (m.name == name)
      return &m.value;
  return nullptr;
}

std::string_view describe(node_kind kind) {
  switch (kind) {
  case node_kind::null:
    return "null";
  case node_kind::boolean:
    return "true or false";
  case node_kind::integer:
    return "a number";
  case node_kind::number:
    return "a number with a fraction";
  case node_kind::text:
    return "a text";
  case node_kind::list:
    return "a list";
  case node_kind::object:
    return "an object";
  }
  return "unknown";
}

std::optional<node> read_document(std::string_view text, std::string_view source,
                                  config_problems& problems) {
  if (text.size() > document_bytes_max) {
    problems.push_back({std::string{source},
                        0,
                        {},
                        "longer than " + std::to_string(document_bytes_max) + " bytes",
                        "out_of_range"});
    return std::nullopt;
  }
  return reader{text, source, problems}.read();
}

std::string quoted(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string write_json(const node& value) {
  std::string out;
  switch (value.kind) {
  case node_kind::null:
    return "null";
  case node_kind::boolean:
    return value.truth ? "true" : "false";
  case node_kind::integer:
  case node_kind::number:
    return value.text;
  case node_kind::text:
    return quoted(value.text);
  case node_kind::list:
    for (const auto& item : value.items)
      out += (out.empty() ? "" : ",") + write_json(item);
    return '[' + out + ']';
  case node_kind::object:
    for (const auto& m : value.members)
      out += (out.empty() ? "" : ",") + quoted(m.name) + ':' + write_json(m.value);
    return '{' + out + '}';
  }
  return out;
}

} // namespace troupe::config
