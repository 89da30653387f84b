#include "sandbox/refusals.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace sandbox {

namespace {

const char* fault_of(const refusal& why) {
  switch (why.counts) {
  case measure::requests:
    return why.until_midnight ? "quota_day" : "quota_minute";
  case measure::tokens:
  case measure::input_tokens:
    return why.until_midnight ? "quota_tokens_day" : "quota_tokens";
  case measure::output_tokens: // Google names no such limit
    return "quota_wait_only";
  case measure::in_flight:
    return "quota_bare";
  }
  return "quota_bare";
}

/// "requests per min (RPM)" and the like.
std::string unit_of(const refusal& why) {
  switch (why.counts) {
  case measure::requests:
    return why.until_midnight ? "requests per day (RPD)" : "requests per min (RPM)";
  case measure::tokens:
  case measure::input_tokens:
  case measure::output_tokens:
    return why.until_midnight ? "tokens per day (TPD)" : "tokens per min (TPM)";
  case measure::in_flight:
    return "concurrent requests";
  }
  return {};
}

const char* anthropic_unit(const refusal& why) {
  switch (why.counts) {
  case measure::requests:
    return why.until_midnight ? "requests per day" : "requests per minute";
  case measure::tokens:
    return why.until_midnight ? "tokens per day" : "tokens per minute";
  case measure::input_tokens:
    return "input tokens per minute";
  case measure::output_tokens:
    return "output tokens per minute";
  case measure::in_flight:
    return "concurrent requests";
  }
  return "";
}

std::string rfc3339(instant t) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(t).time_since_epoch().count();
  const auto whole = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  char text[32];
  const auto n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, n};
}

const char* kind_for_openai(const standing& s) {
  if (s.counts == measure::requests)
    return "requests";
  return s.counts == measure::tokens || s.counts == measure::input_tokens ? "tokens" : nullptr;
}

const char* kind_for_anthropic(const standing& s) {
  switch (s.counts) {
  case measure::requests:
    return "requests";
  case measure::tokens:
    return "tokens";
  case measure::input_tokens:
    return "input-tokens";
  case measure::output_tokens:
    return "output-tokens";
  case measure::in_flight:
    return nullptr;
  }
  return nullptr;
}

} // namespace

std::string spoken_duration(duration d) {
  auto ms = std::chrono::ceil<std::chrono::milliseconds>(d).count();
  if (ms < 1000)
    return std::to_string(ms) + "ms";
  std::string s;
  if (ms >= 3'600'000)
    s += std::to_string(ms / 3'600'000) + "h";
  if (ms >= 60'000)
    s += std::to_string(ms / 60'000 % 60) + "m";
  ms %= 60'000;
  char text[24];
  std::snprintf(text, sizeof text, ms % 1000 == 0 ? "%lld" : "%lld.%03lld",
                static_cast<long long>(ms / 1000), static_cast<long long>(ms % 1000));
  return s + text + "s";
}

answer refuse(const call& c, const refusal& why, const std::string& project, bool in_array) {
  const bool google = c.spoken == dialect::gemini || c.spoken == dialect::vertex;
  fault_facts about;
  about.key = c.key;
  about.model = c.model;
  about.project = project;
  about.allowed = why.allowed;
  // A day's refusal of Google's carries a far too short RetryInfo.
  if (!(google && why.until_midnight))
    about.retry = why.retry;
  auto f = make_fault(fault_of(why), about);
  const auto allowed = std::to_string(why.allowed);
  f.openai_message = "Rate limit reached for " + c.model + " in organization org-sandbox on "
                     + unit_of(why) + ": Limit " + allowed + ", Used " + std::to_string(why.used)
                     + ".";
  if (f.retry)
    f.openai_message += " Please try again in " + spoken_duration(*f.retry) + ".";
  f.openai_type =
      why.counts == measure::requests || why.counts == measure::in_flight ? "requests" : "tokens";
  f.anthropic_message = "This request would exceed your organization's rate limit of " + allowed
                        + " " + anthropic_unit(why) + ".";
  auto a = error_answer(c, f, in_array);
  a.scripted = "limit";
  return a;
}

void tell(const call& c, const std::vector<standing>& left, instant t, answer& a) {
  if (c.spoken == dialect::gemini || c.spoken == dialect::vertex)
    return;
  const bool openai = c.spoken == dialect::openai;
  for (const auto& s : left) {
    const auto* kind = openai ? kind_for_openai(s) : kind_for_anthropic(s);
    if (kind == nullptr)
      continue;
    const auto put = [&](const char* what, std::string value) {
      auto name = openai ? std::string{"x-ratelimit-"} + what + "-" + kind
                         : std::string{"anthropic-ratelimit-"} + kind + "-" + what;
      const bool said = std::any_of(a.headers.begin(), a.headers.end(),
                                    [&](const auto& h) { return h.first == name; });
      if (!said) // two limits of one kind: the first declared is told
        a.headers.emplace_back(std::move(name), std::move(value));
    };
    put("limit", std::to_string(s.allowed));
    put("remaining", std::to_string(s.left));
    put("reset", openai ? spoken_duration(s.reset) : rfc3339(t + s.reset));
  }
}

} // namespace sandbox
