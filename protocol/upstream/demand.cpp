#include "protocol/upstream/demand.hpp"

#include "protocol/upstream/member_walk.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace troupe::upstream {
namespace {

/// Numbers of a body beyond these are nonsense, and products of them still fit.
constexpr std::uint64_t tokens_max = 1'000'000'000, answers_max = 1'000;

constexpr std::size_t base64_bytes_min = 256; ///< shorter texts are not worth a look

constexpr auto base64_bytes = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789+/=-_\\"}) // the last for `\/`
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

/// Bytes that end a number or a word such as `true`.
constexpr auto structural = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view{",:[]{}\" \n\r\t"})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_base64(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return base64_bytes[static_cast<unsigned char>(c)]; });
}

bool is_any(std::string_view word, std::span<const std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Members that hold media as base64. Under other names base64 is text: a model reads it letter
/// by letter, and it counts so.
bool holds_media(std::string_view name) {
  static constexpr std::array<std::string_view, 6> names{
      "data", "file_data", "url", "image_url", "b64_json", "bytesBase64Encoded"};
  return is_any(name, names);
}

/// Members that point to media kept elsewhere.
bool points_to_media(std::string_view name) {
  static constexpr std::array<std::string_view, 4> names{"fileUri", "file_uri", "file_id",
                                                         "image_url"};
  return is_any(name, names);
}

/// The base64 of `text`, a `data:` URL or bare; empty if it is none.
std::string_view media_of(std::string_view text) {
  constexpr std::string_view mark = ";base64,";
  if (text.starts_with("data:")) {
    const auto at = text.substr(0, 256).find(mark);
    return at == std::string_view::npos ? std::string_view{} : text.substr(at + mark.size());
  }
  return text.size() >= base64_bytes_min && is_base64(text) ? text : std::string_view{};
}

/// A number without sign, fraction and exponent, bounded.
std::optional<std::uint64_t> whole_number(std::string_view text, std::uint64_t max) {
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    number = std::min(number * 10 + static_cast<std::uint64_t>(c - '0'), max);
  }
  return text.empty() ? std::nullopt : std::optional{number};
}

class demand_scan {
public:
  demand_scan(upstream_kind kind, std::string_view body) : text_(body) {
    gemini_ = kind == upstream_kind::gemini || kind == upstream_kind::vertex;
  }

  void run() {
    while (at_ < text_.size())
      step();
  }

  std::uint64_t input() const {
    return (text_bytes_ + 2) / 3 + messages_ * message_tokens + media_tokens_;
  }
  std::uint64_t output(std::uint64_t assumed) const {
    return output_.value_or(std::min(assumed, tokens_max)) * answers_;
  }

private:
  void step() {
    switch (text_[at_]) {
    case '"':
      take_string();
      return;
    case '{':
    case '[':
      ++depth_;
      break;
    case '}':
    case ']':
      depth_ -= depth_ > 0 ? 1 : 0;
      break;
    case ' ':
    case '\n':
    case '\r':
    case '\t':
    case ',':
    case ':':
      break;
    default:
      take_scalar();
      return;
    }
    ++at_;
  }

  void take_string() {
    const auto begin = at_ + 1;
    at_ = skip_string(text_, at_);
    const auto content = text_.substr(begin, at_ > begin ? at_ - begin - 1 : 0);
    const auto next = skip_spaces(text_, at_);
    if (next < text_.size() && text_[next] == ':') {
      at_ = next + 1;
      on_name(content);
    } else {
      on_text(content);
    }
  }

  void take_scalar() {
    const auto begin = at_;
    while (at_ < text_.size() && !structural[static_cast<unsigned char>(text_[at_])])
      ++at_;
    on_scalar(text_.substr(begin, at_ - begin));
  }

  void on_name(std::string_view name) {
    name_ = name;
    text_bytes_ += name.size();
    if (depth_ == 1)
      section_ = name;
    messages_ += name == (gemini_ ? "parts" : "role") ? 1 : 0;
    pointer_ = pointer_ || points_to_media(name);
  }

  void on_text(std::string_view text) {
    const bool points = pointer_ || (name_ == "type" && text == "url");
    pointer_ = false;
    const auto media = holds_media(name_) ? media_of(text) : std::string_view{};
    if (!media.empty())
      media_tokens_ += media_tokens + (media.size() + 1023) / 1024;
    else if (points)
      media_tokens_ += media_tokens;
    else
      text_bytes_ += text.size();
  }

  void on_scalar(std::string_view value) {
    text_bytes_ += value.size();
    if (says_output()) {
      if (const auto number = whole_number(value, tokens_max))
        output_ = std::max(output_.value_or(0), *number);
    } else if (says_answers()) {
      if (const auto number = whole_number(value, answers_max))
        answers_ = std::max<std::uint64_t>(*number, 1);
    }
  }

  /// Where Gemini's own numbers stand. A tool's schema or arguments may use the same names.
  bool in_config() const {
    return depth_ == 2 && (section_ == "generationConfig" || section_ == "generation_config");
  }
  bool says_output() const {
    static constexpr std::array<std::string_view, 3> names{"max_tokens", "max_completion_tokens",
                                                           "max_output_tokens"};
    if (gemini_)
      return in_config() && (name_ == "maxOutputTokens" || name_ == "max_output_tokens");
    return depth_ == 1 && is_any(name_, names);
  }
  bool says_answers() const {
    if (gemini_)
      return in_config() && (name_ == "candidateCount" || name_ == "candidate_count");
    return depth_ == 1 && name_ == "n";
  }

  std::string_view text_;
  bool gemini_ = true;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::string_view section_; ///< the last name of the outermost object
  std::string_view name_;
  bool pointer_ = false; ///< the next text points to media
  std::uint64_t text_bytes_ = 0, messages_ = 0, media_tokens_ = 0;
  std::optional<std::uint64_t> output_;
  std::uint64_t answers_ = 1;
};

} // namespace

token_demand demand_of(upstream_kind kind, std::string_view upstream_body,
                       std::uint64_t output_assumed) {
  demand_scan scan{kind, upstream_body};
  scan.run();
  return {.input = scan.input(), .output = scan.output(output_assumed)};
}

} // namespace troupe::upstream
