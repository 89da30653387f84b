#include "protocol/upstream/error_words.hpp"

#include "protocol/base/ascii.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace troupe::upstream {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

std::string_view text_of(const object& o, std::string_view name) {
  std::string_view text;
  return o[name].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

bool is_status(std::int64_t number) {
  return number >= 400 && number < 600;
}

/// `code` is a word in most dialects, a status as number or text in some.
void read_code(const object& error, error_words& words) {
  words.code = text_of(error, "code");
  std::int64_t number = 0;
  if (error["code"].get(number) && error["status"].get(number)) {
    const auto* end = words.code.data() + words.code.size();
    if (std::from_chars(words.code.data(), end, number).ptr != end)
      return;
  }
  if (is_status(number))
    words.status = static_cast<int>(number);
}

void read_object(const object& error, error_words& words) {
  words.message = text_of(error, "message");
  words.type = text_of(error, "type");
  words.param = text_of(error, "param");
  read_code(error, words);
  array details;
  words.google =
      words.status != 0 && (!text_of(error, "status").empty() || !error["details"].get(details));
  object metadata;
  if (!error["metadata"].get(metadata))
    words.flagged = !text_of(metadata, "flagged_input").empty();
}

/// FastAPI's word, as most self-made servers send it.
void read_detail(const element& detail, error_words& words) {
  std::string_view text;
  object holder;
  array list;
  if (!detail.get(text))
    words.message = text;
  else if (!detail.get(holder))
    read_object(holder, words);
  else if (!detail.get(list) && list.size() > 0 && !list.at(0).get(holder))
    words.message = text_of(holder, "msg");
}

void read_holder(const object& holder, error_words& words) {
  element error, detail;
  object inner, response;
  std::string_view text;
  if (!holder["error"].get(error) && !error.get(inner)) {
    words.is_error = true;
    read_object(inner, words);
  } else if (!holder["error"].get(text)) {
    words.is_error = true;
    words.message = text;
    read_code(holder, words);
  } else if (!holder["response"].get(response) && !response["error"].get(inner)) {
    words.is_error = true;
    read_object(inner, words);
  } else {
    words.is_error = text_of(holder, "object") == "error" || text_of(holder, "type") == "error";
    read_object(holder, words);
    if (words.message.empty() && !holder["detail"].get(detail))
      read_detail(detail, words);
  }
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The status of a word; 0 if it stands for none.
int status_of(std::string_view word) {
  struct row {
    std::string_view word;
    int status;
  };
  static constexpr std::array rows{row{"invalid_api_key", 401},
                                   row{"authentication_error", 401},
                                   row{"permission_error", 403},
                                   row{"model_not_found", 404},
                                   row{"not_found_error", 404},
                                   row{"request_too_large", 413},
                                   row{"rate_limit_exceeded", 429},
                                   row{"rate_limit_error", 429},
                                   row{"insufficient_quota", 429},
                                   row{"tokens", 429},
                                   row{"requests", 429},
                                   row{"billing_error", 402},
                                   row{"overloaded_error", 529},
                                   row{"timeout_error", 504},
                                   row{"invalid_request_error", 400},
                                   row{"context_length_exceeded", 400},
                                   row{"invalid_prompt", 400}};
  const auto found =
      std::find_if(rows.begin(), rows.end(), [word](const row& r) { return r.word == word; });
  if (found != rows.end())
    return found->status;
  return holds(word, "overloaded") ? 503 : 0;
}

} // namespace

error_words read_error_words(std::string_view body) {
  error_words words;
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(body.data(), body.size()).get(root))
    return words;
  object holder;
  array list;
  if (!root.get(list) && list.size() > 0)
    root = list.at(0).value_unsafe();
  if (!root.get(holder))
    read_holder(holder, words);
  return words;
}

int implied_status(const error_words& words) {
  if (words.status != 0)
    return words.status;
  if (const auto by_code = status_of(words.code); by_code != 0)
    return by_code;
  const auto by_type = status_of(words.type);
  return by_type != 0 ? by_type : 500;
}

std::string lower(std::string_view text) {
  std::string low{text};
  std::transform(low.begin(), low.end(), low.begin(), ascii::lower);
  return low;
}

} // namespace troupe::upstream
