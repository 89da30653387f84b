#include "protocol/openai/classify.hpp"

#include "protocol/upstream/error_words.hpp"
#include "protocol/upstream/told_wait.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>

/// Dozens of servers speak this protocol, each with words of its own. A code or type is a word
/// that only the upstream can say; the message may quote the client, so it decides only where a
/// wrong guess costs a key no more than a pause.

namespace troupe::openai {
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

bool is_any(std::string_view word, std::span<const std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool contains_any(std::string_view text, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [text](std::string_view part) { return contains(text, part); });
}

/// An error, ready to be decided upon.
struct question {
  int status;
  const error_words& words;
  const answer_facts& facts;
  std::string message; ///< in lower case

  bool says(std::span<const std::string_view> list) const {
    return is_any(words.code, list) || is_any(words.type, list);
  }
  bool names_model() const { return !facts.model.empty() && contains(words.message, facts.model); }
};

bool is_suspended(const question& q) {
  static constexpr std::array<std::string_view, 4> codes{
      "account_deactivated", "account_suspended", "organization_deactivated", "access_terminated"};
  static constexpr std::array<std::string_view, 4> phrases{
      "has been deactivated", "account is deactivated", "has been suspended",
      "account is suspended"};
  if (q.says(codes))
    return true;
  // A model's name is the client's choice and could hold these words.
  return (q.status == 401 || q.status == 403) && !q.names_model()
         && contains_any(q.message, phrases);
}

bool has_no_money(const question& q) {
  static constexpr std::array<std::string_view, 5> codes{
      "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
      "credit_balance_exhausted", "insufficient_user_quota"};
  return q.status == 402 || q.says(codes)
         || (q.status == 429 && q.message.starts_with("you exceeded your current quota"));
}

bool is_invalid_key(const question& q) {
  static constexpr std::array<std::string_view, 1> codes{"invalid_api_key"};
  return q.status == 401 || q.says(codes)
         || (q.status == 400 && q.message.starts_with("incorrect api key"));
}

/// A key that is good, but not for this: a scope or an address that its owner has not allowed.
bool lacks_permission(const question& q) {
  return q.words.code == "ip_not_authorized"
         || (q.status == 401 && contains(q.message, "insufficient permissions"));
}

/// Some upstreams say with a 403 what others say with a 400.
bool blames_request(const question& q) {
  static constexpr std::array<std::string_view, 4> codes{
      "content_policy_violation", "content_filter", "context_length_exceeded", "moderation_error"};
  return q.words.flagged || q.says(codes) || contains(q.message, "context length");
}

bool is_overloaded(const question& q) {
  if (q.status == 503 || q.status == 529)
    return true;
  if (q.status != 429 && q.status != 498 && q.status < 500)
    return false;
  return contains(q.words.code, "overloaded") || contains(q.words.type, "overloaded")
         || contains(q.words.code, "capacity_exceeded")
         || contains(q.message, "currently overloaded") || contains(q.message, "is overloaded");
}

void concern_key(verdict& v, answer_class what) {
  v.what = what;
  v.scope = answer_scope::key;
  v.other_key_helps = true;
}

void concern_model(const question& q, verdict& v, answer_class what, answer_scope scope) {
  v.what = what;
  v.scope = scope;
  v.model = q.facts.model;
  v.other_key_helps = true;
}

void blame_request(verdict& v) {
  v.what = answer_class::request_fault;
  v.scope = answer_scope::request;
}

void decide_forbidden(const question& q, verdict& v) {
  if (q.words.code == "unsupported_country_region_territory") {
    v.what = answer_class::location;
    v.scope = answer_scope::node;
  } else if (blames_request(q)) {
    blame_request(v);
  } else if (q.names_model() || q.words.code == "model_not_found") {
    concern_model(q, v, answer_class::key_forbidden, answer_scope::key_and_model);
  } else {
    concern_key(v, answer_class::key_forbidden);
  }
}

wait until_daily_reset(const answer_facts& facts) {
  return gemini::next_daily_reset(facts.now) - facts.now;
}

void decide_throttle(const question& q, verdict& v) {
  static constexpr std::array<std::string_view, 5> day{"per day", "per-day", "(rpd)", "(tpd)",
                                                       "daily"};
  static constexpr std::array<std::string_view, 4> minute{"per min", "per-min", "(rpm)", "(tpm)"};
  static constexpr std::array<std::string_view, 4> codes{"rate_limit_exceeded", "rate_limit_error",
                                                         "tokens", "requests"};
  if (q.message.starts_with("request too large")) {
    // It is over the whole allowance of a minute: it would throttle every key there is, and
    // waiting does not help it.
    blame_request(v);
    return;
  }
  const auto told = upstream::told_wait(q.facts, q.words.message);
  if (contains_any(q.message, day)) {
    // A day here may be any 24 hours, so a wait that is told is better than midnight.
    concern_model(q, v, answer_class::quota_day, answer_scope::key_and_model);
    v.retry_after = told ? told : until_daily_reset(q.facts);
    return;
  }
  const bool named = contains_any(q.message, minute) || q.says(codes);
  concern_model(q, v, named ? answer_class::quota_minute : answer_class::quota_unknown,
                answer_scope::key_and_model);
  v.retry_after = told.value_or(std::chrono::seconds{60});
}

void decide_by_status(const question& q, verdict& v) {
  switch (q.status) {
  case 403:
    decide_forbidden(q, v);
    return;
  case 429:
    decide_throttle(q, v);
    return;
  case 408: // the upstream's own patience with its model, at some routers
  case 504:
  case 524:
    concern_model(q, v, answer_class::upstream_timeout, answer_scope::model);
    return;
  default:
    break;
  }
  if (q.status >= 400 && q.status < 500)
    blame_request(v);
  else
    concern_model(q, v, answer_class::upstream_fault, answer_scope::model);
}

void decide(const question& q, verdict& v) {
  const bool is_4xx = q.status >= 400 && q.status < 500;
  if (is_4xx && is_suspended(q)) {
    concern_key(v, answer_class::key_suspended);
  } else if (is_4xx && has_no_money(q)) {
    concern_key(v, answer_class::quota_day);
    v.retry_after =
        upstream::longer(upstream::told_by_retry_after(q.facts), until_daily_reset(q.facts));
  } else if (is_4xx && lacks_permission(q)) {
    concern_key(v, answer_class::key_forbidden);
  } else if (is_4xx && is_invalid_key(q)) {
    concern_key(v, answer_class::key_invalid);
  } else if (is_overloaded(q)) {
    concern_model(q, v, answer_class::model_overloaded, answer_scope::model);
    v.retry_after = upstream::longer(upstream::told_by_retry_after(q.facts),
                                     upstream::find_retry_text(q.words.message));
  } else {
    decide_by_status(q, v);
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
  }
  // Google's own endpoint of this protocol tells errors as it always does.
  if (words.google)
    return gemini::classify(status, body, facts);
  decide(
      {.status = status, .words = words, .facts = facts, .message = upstream::lower(words.message)},
      v);
  v.message = std::move(words.message);
  v.reason = words.code.empty() ? std::move(words.type) : std::move(words.code);
  v.field = std::move(words.param);
  return v;
}

} // namespace troupe::openai
