#include "actors/front/attempt_words.hpp"

#include <algorithm>

namespace troupe {

void hide_key(std::string& text, const secret& key) {
  constexpr std::string_view hidden = "***";
  const auto characters = key.reveal();
  if (characters.empty())
    return;
  for (auto at = text.find(characters); at != std::string::npos;
       at = text.find(characters, at + hidden.size()))
    text.replace(at, characters.size(), hidden);
}

gemini::verdict verdict_of(const failure& f) {
  gemini::verdict v;
  v.what = f.code == errc::upstream_timeout ? gemini::answer_class::upstream_timeout
                                            : gemini::answer_class::upstream_fault;
  v.scope = gemini::answer_scope::model;
  v.other_key_helps = true;
  v.message = f.text;
  return v;
}

client_error error_of(const failure& f) {
  client_error e;
  e.what = f.code == errc::upstream_timeout ? fault::upstream_timeout : fault::upstream_error;
  e.message = f.code == errc::proxy_failed ? "The way out to the upstream failed: "
                                           : "The upstream could not be reached or broke off: ";
  e.message += f.text;
  return e;
}

gemini::verdict faulty_answer(const client_error& e) {
  gemini::verdict v;
  v.what = gemini::answer_class::upstream_fault;
  v.scope = gemini::answer_scope::model;
  v.other_key_helps = true;
  v.message = e.message;
  return v;
}

namespace {

std::optional<std::chrono::milliseconds> wait_of(const acquire_reply& reply) {
  // Until some call ends: nobody knows when; a moment later is as good as any.
  if (reply.wait_ms < 0)
    return std::chrono::seconds{1};
  return std::chrono::milliseconds{reply.wait_ms};
}

client_error resting_error(const acquire_reply& reply) {
  client_error e;
  e.what = reply.per_day ? fault::quota_day : fault::rate_limited;
  e.message = reply.per_day ? "The daily quota of every upstream key is used up."
                            : "Every upstream key that could serve this request is resting.";
  e.retry_after = wait_of(reply);
  return e;
}

/// The client's own limit: said so, for it is the client who can do something about it.
client_error limit_error(const acquire_reply& reply) {
  client_error e;
  e.what = reply.per_day ? fault::quota_day : fault::rate_limited;
  e.message = "The credential has used up its limit \"" + std::string{to_string(reply.limited)}
              + "\" on this gateway.";
  e.code = "credential_limit";
  e.retry_after = wait_of(reply);
  return e;
}

client_error full_error(const acquire_reply& reply) {
  client_error e;
  e.what = fault::busy;
  e.message = "Every upstream key rests, and too many requests wait for one already.";
  e.retry_after = wait_of(reply);
  return e;
}

/// The failure itself, with the pool's word on when it is worth trying again.
client_error with_wait(client_error e, const acquire_reply& reply) {
  if (reply.grant == grant_kind::resting
      && (e.what == fault::rate_limited || e.what == fault::overloaded))
    e.retry_after = wait_of(reply);
  return e;
}

} // namespace

client_error error_of(const acquire_reply& reply, const std::optional<client_error>& last) {
  switch (reply.grant) {
  case grant_kind::granted:
    break;
  case grant_kind::resting:
    return last ? with_wait(*last, reply) : resting_error(reply);
  case grant_kind::none_usable:
    return last ? *last : none_usable_error();
  case grant_kind::credential_limit:
    return limit_error(reply);
  case grant_kind::waiting_room_full:
    return last ? *last : full_error(reply);
  case grant_kind::shutting_down:
    return last ? *last : draining_error();
  }
  return none_usable_error();
}

client_error breaker_error(duration retry_in) {
  client_error e;
  e.what = fault::overloaded;
  e.message = "The upstream fails at present, so it is given a pause.";
  e.code = "upstream_unavailable";
  e.retry_after = std::chrono::ceil<std::chrono::milliseconds>(retry_in);
  return e;
}

client_error none_usable_error() {
  return make_client_error(fault::no_usable_key, "No usable upstream key is available.");
}

client_error draining_error() {
  return make_client_error(fault::draining,
                           "This node is stopping; send the request to another one.");
}

bool may_fall_back(const client_error& e) {
  if (e.code == "credential_limit")
    return false;
  switch (e.what) {
  case fault::no_usable_key:
  case fault::quota_day:
  case fault::rate_limited:
  case fault::overloaded:
  case fault::upstream_timeout:
  case fault::upstream_error:
  case fault::empty_response:
  case fault::busy:
    return true;
  case fault::bad_credential:
  case fault::location:
  case fault::model_not_allowed:
  case fault::invalid_request:
  case fault::not_found:
  case fault::too_large:
  case fault::stream_truncated:
  case fault::invalid_json:
  case fault::unknown_path:
  case fault::wrong_method:
  case fault::resource_not_found:
  case fault::unsupported_encoding:
  case fault::draining:
  case fault::request_timeout:
  case fault::internal:
    return false;
  }
  return false;
}

breaker_sign sign_of(const gemini::verdict& v, int status, const client_error* e) {
  breaker_sign s;
  if (v.what == gemini::answer_class::model_overloaded) {
    s.model_failed = true;
    s.answered = true;
  } else if (v.what == gemini::answer_class::upstream_timeout) {
    s.host_failed = true;
  } else if (v.what == gemini::answer_class::upstream_fault) {
    // An answer of status 200 that could not be read, or was empty, is not the host's fault.
    s.host_failed = status == 0 || status >= 500;
  } else {
    s.answered = e == nullptr || status != 0;
  }
  return s;
}

std::vector<upstream::header_field> fields_of(const http::headers& all) {
  std::vector<upstream::header_field> fields;
  fields.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    fields.push_back({all[i].name, all[i].value});
  return fields;
}

std::vector<told_limit> limits_in(upstream_kind kind, const http::headers& all,
                                  std::string_view error_body) {
  bool any = !error_body.empty();
  for (std::size_t i = 0; i < all.size() && !any; ++i)
    any = upstream::may_tell_limit(all[i].name);
  if (!any)
    return {};
  std::vector<told_limit> limits;
  for (auto& told : upstream::told_limits(kind, fields_of(all), error_body))
    limits.push_back({std::move(told.model), told.kind, told.amount});
  return limits;
}

} // namespace troupe
