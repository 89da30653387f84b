#include "sandbox/faults.hpp"

#include "sandbox/json.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>

namespace sandbox {

namespace {

using namespace std::chrono_literals;

constexpr const char* type_prefix = "type.googleapis.com/google.rpc.";
constexpr const char* service = "generativelanguage.googleapis.com";

json info(const char* reason, std::string_view consumer = {}) {
  json metadata = {{"service", service}};
  if (!consumer.empty())
    metadata["consumer"] = "projects/" + std::string{consumer};
  return {{"@type", std::string{type_prefix} + "ErrorInfo"},
          {"reason", reason},
          {"domain", "googleapis.com"},
          {"metadata", std::move(metadata)}};
}

json retry_info(duration d) {
  return {{"@type", std::string{type_prefix} + "RetryInfo"}, {"retryDelay", proto_duration(d)}};
}

json violation(const char* metric, const char* id, const fault_facts& f, std::uint64_t value) {
  return {{"quotaMetric", std::string{service} + "/" + metric},
          {"quotaId", id},
          {"quotaDimensions", {{"location", "global"}, {"model", f.model}}},
          {"quotaValue", std::to_string(value)}};
}

json quota_failure(json violations) {
  return {{"@type", std::string{type_prefix} + "QuotaFailure"},
          {"violations", std::move(violations)}};
}

constexpr const char* free_requests = "generate_content_free_tier_requests";
constexpr const char* per_minute = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
constexpr const char* per_day = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

std::string quota_text(const char* metric, std::uint64_t allowed, duration retry) {
  return "You exceeded your current quota, please check your plan and billing details. For more "
         "information on this error, head over to: "
         "https://ai.google.dev/gemini-api/docs/rate-limits."
         "\n* Quota exceeded for metric: "
         + std::string{service} + "/" + metric + ", limit: " + std::to_string(allowed)
         + "\nPlease retry in " + proto_duration(retry) + ".";
}

fault plain(int status, const char* canonical, std::string message, json details = json::array()) {
  fault f;
  f.status = status;
  f.canonical = canonical;
  f.message = std::move(message);
  if (!details.empty())
    f.details = details.dump();
  return f;
}

fault exhausted(const fault_facts& facts, json violations, duration usual, std::uint64_t allowed,
                bool until_midnight, const char* metric = free_requests) {
  const auto retry = facts.retry.value_or(usual);
  auto f =
      plain(429, "RESOURCE_EXHAUSTED", quota_text(metric, allowed, retry),
            json::array(
                {quota_failure(std::move(violations)),
                 {{"@type", std::string{type_prefix} + "Help"},
                  {"links",
                   json::array({{{"description", "Learn more about Gemini API quotas"},
                                 {"url", "https://ai.google.dev/gemini-api/docs/rate-limits"}}})}},
                 retry_info(retry)}));
  f.retry = retry;
  f.until_midnight = until_midnight;
  return f;
}

fault quota_minute(const fault_facts& f) {
  return exhausted(f, json::array({violation(free_requests, per_minute, f, f.allowed)}), 46800ms,
                   f.allowed, false);
}

fault quota_day(const fault_facts& f) {
  return exhausted(f, json::array({violation(free_requests, per_day, f, f.allowed)}), 38600ms,
                   f.allowed, true);
}

fault quota_both(const fault_facts& f) {
  return exhausted(f,
                   json::array({violation(free_requests, per_minute, f, f.allowed),
                                violation(free_requests, per_day, f, f.allowed)}),
                   12s, f.allowed, true);
}

fault quota_tokens(const fault_facts& f) {
  constexpr const char* metric = "generate_content_free_tier_input_token_count";
  return exhausted(
      f,
      json::array({violation(metric, "GenerateContentInputTokensPerModelPerMinute-FreeTier", f,
                             f.allowed)}),
      30s, f.allowed, false, metric);
}

fault quota_tokens_day(const fault_facts& f) {
  constexpr const char* metric = "generate_content_free_tier_input_token_count";
  return exhausted(f,
                   json::array({violation(
                       metric, "GenerateContentInputTokensPerModelPerDay-FreeTier", f, f.allowed)}),
                   38600ms, f.allowed, true, metric);
}

fault quota_zero(const fault_facts& f) {
  return exhausted(f,
                   json::array({violation(free_requests, per_day, f, 0),
                                violation(free_requests, per_minute, f, 0)}),
                   20s, 0, true);
}

fault quota_bare(const fault_facts&) {
  return plain(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).");
}

fault quota_wait_only(const fault_facts& facts) {
  const auto retry = facts.retry.value_or(12s);
  auto f = plain(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).",
                 json::array({retry_info(retry)}));
  f.retry = retry;
  return f;
}

fault quota_text_only(const fault_facts& facts) {
  const auto retry = facts.retry.value_or(38800ms);
  auto f = plain(429, "RESOURCE_EXHAUSTED", quota_text(free_requests, facts.allowed, retry));
  f.retry = retry;
  return f;
}

fault key_invalid(const fault_facts&) {
  return plain(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
               json::array({info("API_KEY_INVALID"),
                            {{"@type", std::string{type_prefix} + "LocalizedMessage"},
                             {"locale", "en-US"},
                             {"message", "API key not valid. Please pass a valid API key."}}}));
}

fault key_expired(const fault_facts&) {
  return plain(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.",
               json::array({info("API_KEY_INVALID")}));
}

fault key_missing(const fault_facts&) {
  return plain(403, "PERMISSION_DENIED",
               "Method doesn't allow unregistered callers (callers without established identity). "
               "Please use API Key or other form of API consumer identity to call this API.");
}

fault suspended(const fault_facts& f) {
  return plain(403, "PERMISSION_DENIED",
               "Permission denied: Consumer 'api_key:" + std::string{f.key}
                   + "' has been suspended.",
               json::array({info("CONSUMER_SUSPENDED", f.project)}));
}

fault leaked(const fault_facts&) {
  return plain(403, "PERMISSION_DENIED",
               "Your API key was reported as leaked. Please use another API key.");
}

fault service_disabled(const fault_facts& f) {
  return plain(403, "PERMISSION_DENIED",
               "Generative Language API has not been used in project " + std::string{f.project}
                   + " before or it is disabled. Enable it by visiting the developers console, "
                     "then retry.",
               json::array({info("SERVICE_DISABLED", f.project)}));
}

fault service_blocked(const fault_facts& f) {
  return plain(403, "PERMISSION_DENIED",
               "Requests to this API generativelanguage.googleapis.com method "
               "google.ai.generativelanguage.v1beta.GenerativeService.GenerateContent are blocked.",
               json::array({info("API_KEY_SERVICE_BLOCKED", f.project)}));
}

fault referrer_blocked(const fault_facts& f) {
  return plain(403, "PERMISSION_DENIED", "Requests from referer <empty> are blocked.",
               json::array({info("API_KEY_HTTP_REFERRER_BLOCKED", f.project)}));
}

fault ip_blocked(const fault_facts& f) {
  return plain(403, "PERMISSION_DENIED",
               "The provided API key has an IP address restriction. The originating IP address of "
               "the call (127.0.0.1) violates this restriction.",
               json::array({info("API_KEY_IP_ADDRESS_BLOCKED", f.project)}));
}

fault model_denied(const fault_facts& f) {
  return plain(403, "PERMISSION_DENIED",
               "Permission denied on resource models/" + std::string{f.model} + ".");
}

fault resource_forbidden(const fault_facts&) {
  return plain(403, "PERMISSION_DENIED",
               "You do not have permission to access the File files/sandbox-file or it may not "
               "exist.");
}

fault unauthorized(const fault_facts&) {
  return plain(401, "UNAUTHENTICATED",
               "Request had invalid authentication credentials. Expected OAuth 2 access token, "
               "login cookie or other valid authentication credential.",
               json::array({info("CREDENTIALS_MISSING")}));
}

fault location(const fault_facts&) {
  return plain(400, "FAILED_PRECONDITION", "User location is not supported for the API use.");
}

fault bad_argument(const fault_facts&) {
  return bad_request("Request contains an invalid argument.");
}

fault not_found(const fault_facts& f) {
  return plain(404, "NOT_FOUND",
               "models/" + std::string{f.model}
                   + " is not found for API version v1beta, or is not supported for "
                     "generateContent. Call ListModels to see the list of available models and "
                     "their supported methods.");
}

fault too_large(const fault_facts&) {
  return plain(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.");
}

fault internal(const fault_facts&) {
  return plain(500, "INTERNAL",
               "An internal error has occurred. Please retry or report in "
               "https://developers.generativeai.google/guide/troubleshooting");
}

fault overloaded(const fault_facts&) {
  return plain(503, "UNAVAILABLE", "The model is overloaded. Please try again later.");
}

fault unavailable(const fault_facts&) {
  return plain(503, "UNAVAILABLE", "The service is currently unavailable.");
}

fault deadline(const fault_facts&) {
  return plain(504, "DEADLINE_EXCEEDED", "The request timed out. Please try again.");
}

fault page(int status, const char* title) {
  fault f;
  f.status = status;
  f.message = title;
  f.raw = "<!DOCTYPE html>\n<html lang=en>\n<title>Error " + std::to_string(status)
          + "</title>\n<p><b>" + std::to_string(status) + ".</b> <ins>That\xE2\x80\x99s an error."
          + "</ins>\n<p>" + title + ". <ins>That\xE2\x80\x99s all we know.</ins>\n";
  return f;
}

fault bad_gateway(const fault_facts&) {
  return page(502, "The server encountered a temporary error and could not complete your request");
}

fault html_404(const fault_facts&) {
  return page(404, "The requested URL was not found on this server");
}

fault html_200(const fault_facts&) {
  return page(200, "Sign in to this network to go on");
}

using maker = fault (*)(const fault_facts&);

const std::map<std::string_view, maker>& catalogue() {
  static const std::map<std::string_view, maker> all = {
      {"key_invalid", key_invalid},
      {"key_expired", key_expired},
      {"key_missing", key_missing},
      {"suspended", suspended},
      {"leaked", leaked},
      {"service_disabled", service_disabled},
      {"service_blocked", service_blocked},
      {"referrer_blocked", referrer_blocked},
      {"ip_blocked", ip_blocked},
      {"model_denied", model_denied},
      {"resource_forbidden", resource_forbidden},
      {"unauthorized", unauthorized},
      {"location", location},
      {"bad_argument", bad_argument},
      {"not_found", not_found},
      {"too_large", too_large},
      {"quota_minute", quota_minute},
      {"quota_day", quota_day},
      {"quota_both", quota_both},
      {"quota_tokens", quota_tokens},
      {"quota_tokens_day", quota_tokens_day},
      {"quota_zero", quota_zero},
      {"quota_bare", quota_bare},
      {"quota_wait_only", quota_wait_only},
      {"quota_text_only", quota_text_only},
      {"internal", internal},
      {"bad_gateway", bad_gateway},
      {"overloaded", overloaded},
      {"unavailable", unavailable},
      {"deadline", deadline},
      {"html_404", html_404},
      {"html_200", html_200},
  };
  return all;
}

const char* openai_type(int status) {
  switch (status) {
  case 401:
    return "authentication_error";
  case 403:
    return "permission_error";
  case 404:
    return "not_found_error";
  case 429:
    return "rate_limit_error";
  default:
    return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

const char* anthropic_type(int status) {
  switch (status) {
  case 401:
    return "authentication_error";
  case 403:
    return "permission_error";
  case 404:
    return "not_found_error";
  case 413:
    return "request_too_large";
  case 429:
    return "rate_limit_error";
  case 503:
    return "overloaded_error";
  default:
    return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

} // namespace

bool is_fault(std::string_view name) {
  return catalogue().contains(name);
}

std::vector<std::string_view> fault_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, make] : catalogue())
    names.push_back(name);
  return names;
}

fault make_fault(std::string_view name, const fault_facts& facts) {
  const auto found = catalogue().find(name);
  return found == catalogue().end() ? internal(facts) : found->second(facts);
}

fault bad_request(std::string message, std::string_view field) {
  json details = json::array();
  if (!field.empty())
    details.push_back(
        {{"@type", std::string{type_prefix} + "BadRequest"},
         {"fieldViolations", json::array({{{"field", field}, {"description", message}}})}});
  return plain(400, "INVALID_ARGUMENT", std::move(message), std::move(details));
}

std::string proto_duration(duration d) {
  // Rounded up: a wait announced too short would make an obedient caller early.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(d).count();
  char text[48];
  std::snprintf(text, sizeof text, ms % 1000 == 0 ? "%lld" : "%lld.%03lld",
                static_cast<long long>(ms / 1000), static_cast<long long>(ms % 1000));
  return std::string{text} + "s";
}

std::string gemini_error(const fault& f, bool in_array) {
  if (!f.raw.empty())
    return f.raw;
  json error = {{"code", f.status}, {"message", f.message}, {"status", f.canonical}};
  if (!f.details.empty())
    error["details"] = json::parse(f.details);
  json body = {{"error", std::move(error)}};
  if (in_array)
    body = json::array({std::move(body)});
  return body.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string openai_error(const fault& f) {
  if (!f.raw.empty())
    return f.raw;
  json code = nullptr;
  if (!f.openai_code.empty())
    code = f.openai_code;
  else if (f.status == 429)
    code = "rate_limit_exceeded";
  const json body = {
      {"error",
       {{"message", f.openai_message.empty() ? f.message : f.openai_message},
        {"type", f.openai_type.empty() ? openai_type(f.status) : f.openai_type.c_str()},
        {"param", f.openai_param.empty() ? json(nullptr) : json(f.openai_param)},
        {"code", std::move(code)}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string anthropic_error(const fault& f) {
  if (!f.raw.empty())
    return f.raw;
  const json body = {
      {"type", "error"},
      {"error",
       {{"type", anthropic_type(f.status)},
        {"message", f.anthropic_message.empty() ? f.message : f.anthropic_message}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace sandbox
