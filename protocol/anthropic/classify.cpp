#include "protocol/anthropic/classify.hpp"

#include "protocol/upstream/error_words.hpp"
#include "protocol/upstream/told_wait.hpp"

#include <string>

namespace troupe::anthropic {
namespace {

using gemini::answer_class;
using gemini::answer_facts;
using gemini::answer_scope;
using gemini::verdict;
using upstream::error_words;
using upstream::wait;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The error's type stands for its status: a proxy on the way may have changed the latter, and
/// an event of a stream has none.
int status_of(int status, const error_words& words) {
  if (words.type.empty() || (status >= 400 && words.type == "invalid_request_error"))
    return status;
  const int implied = upstream::implied_status(words);
  return implied == 500 && status >= 400 ? status : implied;
}

void concern_key(verdict& v, answer_class what) {
  v.what = what;
  v.scope = answer_scope::key;
  v.other_key_helps = true;
}

void concern_model(const answer_facts& facts, verdict& v, answer_class what, answer_scope scope) {
  v.what = what;
  v.scope = scope;
  v.model = facts.model;
  v.other_key_helps = true;
}

/// `... regain access on 2026-08-01 at 00:00 UTC`, the end of a spend limit's month.
wait until_access(std::string_view message, wall_time now) {
  constexpr std::string_view phrase = "regain access on ", clock = " at ";
  const auto at = message.find(phrase);
  if (at == std::string_view::npos)
    return std::nullopt;
  const auto rest = message.substr(at + phrase.size());
  if (rest.size() < 19 || rest.substr(10, 4) != clock)
    return std::nullopt;
  auto instant = std::string{rest.substr(0, 10)} + 'T';
  instant.append(rest.substr(14, 5)).append(":00Z");
  return upstream::read_reset(instant, now);
}

/// Faults of the account that come as the client's. Only from the first word on: further inside,
/// a message may quote the request.
bool account_is_at_fault(const error_words& words, const answer_facts& facts, verdict& v) {
  const auto message = upstream::lower(words.message);
  if (message.starts_with("this organization has been disabled")) {
    concern_key(v, answer_class::key_suspended);
    return true;
  }
  const bool spent = message.starts_with("your credit balance is too low")
                     || message.starts_with("you have reached your specified api usage limits");
  if (!spent && words.type != "billing_error")
    return false;
  concern_key(v, answer_class::quota_day);
  v.retry_after = upstream::longer(
      upstream::longer(upstream::told_by_retry_after(facts), until_access(message, facts.now)),
      gemini::next_daily_reset(facts.now) - facts.now);
  return true;
}

void decide_throttle(const error_words& words, const answer_facts& facts, verdict& v) {
  const auto told = upstream::told_wait(facts, words.message);
  const auto message = upstream::lower(words.message);
  if (contains(message, "per day") || contains(message, "daily")) {
    concern_model(facts, v, answer_class::quota_day, answer_scope::key_and_model);
    v.retry_after = told ? told : wait{gemini::next_daily_reset(facts.now) - facts.now};
    return;
  }
  concern_model(facts, v,
                words.type == "rate_limit_error" ? answer_class::quota_minute
                                                 : answer_class::quota_unknown,
                answer_scope::key_and_model);
  v.retry_after = told.value_or(std::chrono::seconds{60});
}

void decide_forbidden(const error_words& words, const answer_facts& facts, verdict& v) {
  if (!facts.model.empty() && contains(words.message, facts.model))
    concern_model(facts, v, answer_class::key_forbidden, answer_scope::key_and_model);
  else
    concern_key(v, answer_class::key_forbidden);
}

void decide(int status, const error_words& words, const answer_facts& facts, verdict& v) {
  switch (status) {
  case 401:
    concern_key(v, answer_class::key_invalid);
    return;
  case 403:
    decide_forbidden(words, facts, v);
    return;
  case 429:
    decide_throttle(words, facts, v);
    return;
  case 503:
  case 529:
    concern_model(facts, v, answer_class::model_overloaded, answer_scope::model);
    v.retry_after = upstream::told_by_retry_after(facts);
    return;
  case 408:
  case 504:
  case 524:
    concern_model(facts, v, answer_class::upstream_timeout, answer_scope::model);
    return;
  default:
    break;
  }
  if (status >= 400 && status < 500) {
    v.what = answer_class::request_fault;
    v.scope = answer_scope::request;
  } else {
    concern_model(facts, v, answer_class::upstream_fault, answer_scope::model);
  }
}

} // namespace

verdict classify_answer(int status, std::string_view body, const answer_facts& facts) {
  verdict v;
  auto words = upstream::read_error_words(body);
  if (status >= 200 && status < 300) {
    if (!words.is_error)
      return v;
    status = upstream::implied_status(words);
  } else {
    status = status_of(status, words);
  }
  const bool account = status >= 400 && status < 500 && account_is_at_fault(words, facts, v);
  if (!account && status == 402) {
    concern_key(v, answer_class::quota_day);
    v.retry_after = gemini::next_daily_reset(facts.now) - facts.now;
  } else if (!account) {
    decide(status, words, facts, v);
  }
  v.message = std::move(words.message);
  v.reason = std::move(words.type);
  return v;
}

} // namespace troupe::anthropic
