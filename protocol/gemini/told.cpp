#include "protocol/gemini/classify.hpp"

#include <algorithm>
#include <array>

namespace troupe::gemini {
namespace {

/// E7 comes before E5: some upstreams say with a 400 that the request is too large. Words that
/// could also speak of one value in it (`too large` alone) do not count.
bool says_request_too_large(std::string_view message) {
  static constexpr std::array<std::string_view, 8> phrases{
      "payload size exceeds",     "request size exceeds",  "payload is too large",
      "payload too large",        "request is too large",  "request too large",
      "request entity too large", "request body too large"};
  std::string low{message};
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
    return low.find(phrase) != std::string::npos;
  });
}

/// E5, E6 and E7.
fault request_fault(const verdict& v, int status) {
  if (status == 413 || says_request_too_large(v.message))
    return fault::too_large;
  return status == 404 ? fault::not_found : fault::invalid_request;
}

fault fault_of(const verdict& v, int status) {
  switch (v.what) {
  case answer_class::key_invalid:
  case answer_class::key_suspended:
  case answer_class::key_forbidden:
    return fault::no_usable_key;
  case answer_class::resource_forbidden:
    return fault::resource_not_found;
  case answer_class::location:
    return fault::location;
  case answer_class::quota_day:
    return fault::quota_day;
  case answer_class::quota_minute:
  case answer_class::quota_unknown:
    return fault::rate_limited;
  case answer_class::request_fault:
    return request_fault(v, status);
  case answer_class::model_overloaded:
    return fault::overloaded;
  case answer_class::upstream_timeout:
    return fault::upstream_timeout;
  case answer_class::upstream_fault:
    return fault::upstream_error;
  case answer_class::ok:
    break;
  }
  return fault::internal;
}

} // namespace

std::string_view to_string(answer_class c) {
  switch (c) {
  case answer_class::ok:
    return "ok";
  case answer_class::key_invalid:
    return "key_invalid";
  case answer_class::key_suspended:
    return "key_suspended";
  case answer_class::resource_forbidden:
    return "resource_forbidden";
  case answer_class::key_forbidden:
    return "key_forbidden";
  case answer_class::quota_day:
    return "quota_day";
  case answer_class::quota_minute:
    return "quota_minute";
  case answer_class::quota_unknown:
    return "quota_unknown";
  case answer_class::location:
    return "location";
  case answer_class::request_fault:
    return "request_fault";
  case answer_class::model_overloaded:
    return "model_overloaded";
  case answer_class::upstream_timeout:
    return "upstream_timeout";
  case answer_class::upstream_fault:
    return "upstream_fault";
  }
  return "?";
}

std::string_view to_string(answer_scope s) {
  switch (s) {
  case answer_scope::none:
    return "none";
  case answer_scope::key:
    return "key";
  case answer_scope::key_and_model:
    return "key+model";
  case answer_scope::model:
    return "model";
  case answer_scope::request:
    return "request";
  case answer_scope::node:
    return "node";
  }
  return "?";
}

client_error to_client_error(const verdict& v, int status, std::string_view body) {
  client_error e;
  e.what = fault_of(v, status);
  e.message = v.message;
  if (e.what == fault::not_found)
    e.param = "model";
  else if (e.what == fault::invalid_request && !v.field.empty())
    e.param = v.field;
  e.retry_after = v.retry_after;
  e.upstream_body = body;
  e.upstream_status = status;
  return e;
}

} // namespace troupe::gemini
