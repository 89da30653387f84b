#include "protocol/gemini/classify.hpp"

#include "protocol/upstream/retry_words.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

/// Reads the failure, not just the status (docs/protocol/gemini.md section 6). The rule that
/// stands above the table: a key is hurt only by its own failures. So whatever a client could
/// have caused, by a bad request or by words in it that the upstream's message quotes, must not
/// end in one of the key classes.

namespace troupe::gemini {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;
using upstream::find_retry_text;
using upstream::longer;
using upstream::read_duration;
using upstream::read_milliseconds;
using upstream::read_reset;
using upstream::read_retry_after;
using upstream::wait;

/// What the body of an error says, gathered before anything is decided.
struct error_words {
  bool readable = false; ///< the body was an error object
  int code = 0;
  std::string message;
  std::string status; ///< canonical name, such as `RESOURCE_EXHAUSTED`
  std::string reason;
  std::string project;
  std::string field;
  std::string model_of_day, model_of_minute, model_of_any; ///< quotaDimensions.model
  bool per_day = false;
  bool per_minute = false;
  bool limit_is_zero = false;
  wait retry_info;
  wait retry_text;
};

std::string_view text_of(const object& o, std::string_view name) {
  std::string_view text;
  return o[name].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string low{text};
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return low;
}

std::string_view without_models(std::string_view model) {
  if (model.starts_with("models/"))
    model.remove_prefix(7);
  return model;
}

/// `projects/NUM` of a consumer, which may also be `api_key:...`.
void note_project(std::string_view consumer, error_words& words) {
  if (words.project.empty() && consumer.starts_with("projects/"))
    words.project = consumer;
}

void note_quota(std::string_view id, std::string_view metric, std::string_view limit,
                std::string_view model, error_words& words) {
  model = without_models(model);
  const bool day = contains(id, "PerDay") || contains(metric, "per_day");
  const bool minute = contains(id, "PerMinute") || contains(metric, "per_minute");
  words.per_day |= day;
  words.per_minute |= minute;
  words.limit_is_zero |= limit == "0";
  auto& named = day ? words.model_of_day : minute ? words.model_of_minute : words.model_of_any;
  if (named.empty())
    named = model;
}

void read_quota_failure(const object& detail, error_words& words) {
  array violations;
  if (detail["violations"].get(violations))
    return;
  for (const element item : violations) {
    object violation;
    if (item.get(violation))
      continue;
    object dimensions;
    std::string_view model;
    if (!violation["quotaDimensions"].get(dimensions)) {
      model = text_of(dimensions, "model");
      note_project(text_of(dimensions, "project"), words);
    }
    auto limit = text_of(violation, "quotaValue");
    std::int64_t number;
    if (!violation["quotaValue"].get(number) && number == 0)
      limit = "0";
    note_quota(text_of(violation, "quotaId"), text_of(violation, "quotaMetric"), limit, model,
               words);
  }
}

void read_error_info(const object& detail, error_words& words) {
  if (words.reason.empty())
    words.reason = text_of(detail, "reason");
  object metadata;
  if (detail["metadata"].get(metadata))
    return;
  note_project(text_of(metadata, "consumer"), words);
  // Older upstreams tell the quota here and send no QuotaFailure.
  note_quota(text_of(metadata, "quota_limit"), text_of(metadata, "quota_metric"),
             text_of(metadata, "quota_limit_value"), {}, words);
}

void read_bad_request(const object& detail, error_words& words) {
  array violations;
  if (detail["fieldViolations"].get(violations) || !words.field.empty())
    return;
  for (const element item : violations) {
    object violation;
    if (!item.get(violation)) {
      words.field = text_of(violation, "field");
      return;
    }
  }
}

void read_detail(const object& detail, error_words& words) {
  const auto type = text_of(detail, "@type");
  const auto name = type.substr(std::min(type.rfind('.') + 1, type.size()));
  if (name == "ErrorInfo")
    read_error_info(detail, words);
  else if (name == "QuotaFailure")
    read_quota_failure(detail, words);
  else if (name == "RetryInfo")
    words.retry_info = longer(words.retry_info, read_duration(text_of(detail, "retryDelay")));
  else if (name == "BadRequest")
    read_bad_request(detail, words);
}

/// `limit: 0` as a number of its own, not the beginning of `limit: 0.5` or `limit: 05`.
bool says_limit_zero(std::string_view message) {
  constexpr std::string_view phrase = "limit: 0";
  for (auto at = message.find(phrase); at != std::string_view::npos;
       at = message.find(phrase, at + 1)) {
    const auto rest = message.substr(at + phrase.size());
    const bool fraction = rest.size() > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9';
    const bool longer_number = !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
    if (!fraction && !longer_number)
      return true;
  }
  return false;
}

void read_error(const object& error, error_words& words) {
  words.readable = true;
  words.message = text_of(error, "message");
  words.status = text_of(error, "status");
  std::int64_t code = 0;
  if (!error["code"].get(code) && code > 0 && code < 1000)
    words.code = static_cast<int>(code);
  array details;
  if (!error["details"].get(details))
    for (const element item : details)
      if (object detail; !item.get(detail))
        read_detail(detail, words);
  words.limit_is_zero |= says_limit_zero(words.message);
  words.retry_text = find_retry_text(words.message);
}

/// The error object of a body, which may stand alone or in an array.
error_words read_body(std::string_view body) {
  error_words words;
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(body.data(), body.size()).get(root))
    return words;
  object holder, error;
  array list;
  if (!root.get(list)) {
    for (const element item : list)
      if (!item.get(holder) && !holder["error"].get(error)) {
        read_error(error, words);
        break;
      }
  } else if (!root.get(holder) && !holder["error"].get(error)) {
    read_error(error, words);
  }
  return words;
}

/// The wait that headers and `RetryInfo` tell.
wait read_headers(const answer_facts& facts) {
  return longer(read_retry_after(facts.retry_after, facts.now),
                read_milliseconds(facts.retry_after_ms));
}

bool key_is_invalid(int status, const error_words& words) {
  if (status == 401 || words.reason == "API_KEY_EXPIRED" || words.reason == "API_KEY_INVALID")
    return true;
  if (status != 400 || !words.reason.empty() || !words.field.empty())
    return false;
  // Without a reason the message decides, but only from its first word on: further inside it
  // could be a quotation of what the client sent.
  const auto low = lower(words.message);
  return low.starts_with("api key not valid") || low.starts_with("api key expired")
         || low.starts_with("api key not found");
}

void decide_forbidden(const error_words& words, const answer_facts& facts, verdict& v) {
  const bool names_resource =
      contains(words.message, "files/") || contains(words.message, "cachedContents/");
  const auto low = lower(words.message);
  if (words.reason == "CONSUMER_SUSPENDED"
      || (!names_resource // its name is the client's choice and could hold these words
          && (contains(low, "reported as leaked") || contains(low, "has been suspended")))) {
    v.what = answer_class::key_suspended;
    v.scope = answer_scope::key;
    v.other_key_helps = true;
    return;
  }
  if (names_resource) {
    v.what = answer_class::resource_forbidden;
    v.scope = answer_scope::request;
    return;
  }
  v.what = answer_class::key_forbidden;
  v.other_key_helps = true;
  const bool names_model = contains(words.message, "models/")
                           || (!facts.model.empty() && contains(words.message, facts.model));
  v.scope = names_model ? answer_scope::key_and_model : answer_scope::key;
  if (names_model)
    v.model = without_models(facts.model);
}

void decide_quota(const error_words& words, const answer_facts& facts, verdict& v) {
  v.scope = answer_scope::key_and_model;
  v.other_key_helps = true;
  v.model_not_offered = words.limit_is_zero;
  wait told = longer(read_headers(facts), longer(words.retry_info, words.retry_text));
  for (const auto reset : facts.ratelimit_resets)
    told = longer(told, read_reset(reset, facts.now));

  const std::string* named = &words.model_of_any;
  if (words.per_day || words.limit_is_zero) {
    v.what = answer_class::quota_day;
    v.retry_after = longer(told, next_daily_reset(facts.now) - facts.now);
    if (!words.model_of_day.empty())
      named = &words.model_of_day;
    else if (!words.model_of_minute.empty())
      named = &words.model_of_minute;
  } else {
    v.what = words.per_minute ? answer_class::quota_minute : answer_class::quota_unknown;
    v.retry_after = told.value_or(std::chrono::seconds{60});
    if (!words.model_of_minute.empty())
      named = &words.model_of_minute;
  }
  v.model = named->empty() ? std::string{without_models(facts.model)} : *named;
}

void decide_fault(int status, const error_words& words, const answer_facts& facts, verdict& v) {
  switch (status) {
  case 400:
  case 404:
  case 405:
  case 413:
  case 416:
  case 422:
    v.what = answer_class::request_fault;
    v.scope = answer_scope::request;
    return;
  case 503:
    v.what = answer_class::model_overloaded;
    v.retry_after = longer(read_headers(facts), words.retry_info);
    break;
  case 504:
    v.what = answer_class::upstream_timeout;
    break;
  default:
    v.what = answer_class::upstream_fault;
    break;
  }
  v.scope = answer_scope::model;
  v.model = without_models(facts.model);
  v.other_key_helps = true;
}

} // namespace

verdict classify(int status, std::string_view body, const answer_facts& facts) {
  verdict v;
  auto words = read_body(body);
  if (status >= 200 && status < 300) {
    if (!words.readable)
      return v;
    status = words.code != 0 ? words.code : 500; // an error that came under a good status
  }
  if (key_is_invalid(status, words)) {
    v.what = answer_class::key_invalid;
    v.scope = answer_scope::key;
    v.other_key_helps = true;
  } else if (status == 403) {
    decide_forbidden(words, facts, v);
  } else if (status == 429) {
    decide_quota(words, facts, v);
  } else if (status == 400 && words.status == "FAILED_PRECONDITION"
             && contains(lower(words.message), "location")) {
    v.what = answer_class::location;
    v.scope = answer_scope::node;
  } else {
    decide_fault(status, words, facts, v);
  }
  v.message = std::move(words.message);
  v.reason = std::move(words.reason);
  v.project = std::move(words.project);
  v.field = std::move(words.field);
  return v;
}

} // namespace troupe::gemini
