#pragma once

#include "protocol/openai/chat.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

// Short ways to write a chat request and to look at what it becomes.

namespace troupe::openai {

using nlohmann::ordered_json;
using outcome = std::variant<chat_request, needs_media, client_error>;

/// Where a request goes and how: what a test does not say has its default.
struct setting {
  translation_options options;
  request_context context;
};

/// The translated body, or what went wrong instead.
inline std::string body_of(const outcome& translated) {
  if (const auto* error = std::get_if<client_error>(&translated))
    return "error at " + error->param.value_or("-") + ": " + error->message;
  if (std::holds_alternative<needs_media>(translated))
    return "needs media";
  const auto& body = std::get<chat_request>(translated).body;
  return ordered_json::accept(body) ? body : "not JSON: " + body;
}

inline outcome translate(std::string_view body, const setting& in = {}) {
  return translate_chat_request(body, in.options, in.context);
}

/// A request with these messages and, behind them, other members.
inline std::string request(std::string_view messages, std::string_view more = {},
                           std::string_view model = "gemini-2.5-flash") {
  return R"({"model":")" + std::string(model) + R"(","messages":)" + std::string(messages)
         + std::string(more) + "}";
}

inline constexpr std::string_view hi = R"([{"role":"user","content":"Hi"}])";
inline constexpr std::string_view hi_contents =
    R"({"contents":[{"role":"user","parts":[{"text":"Hi"}]}])";

/// `contents` of the translated messages.
inline std::string contents(std::string_view messages, std::string_view model = "gemini-2.5-flash",
                            const setting& in = {}) {
  const auto body = body_of(translate(request(messages, {}, model), in));
  return body.starts_with('{') ? ordered_json::parse(body)["contents"].dump() : body;
}

/// What a request with one short message becomes besides that message.
inline std::string rest(std::string_view more, std::string_view model = "gemini-2.5-flash",
                        const setting& in = {}) {
  const auto body = body_of(translate(request(hi, "," + std::string(more), model), in));
  if (!body.starts_with(hi_contents))
    return body;
  return "{" + body.substr(std::min(hi_contents.size() + 1, body.size() - 1));
}

inline std::string param_of(std::string_view body, const setting& in = {}) {
  const auto translated = translate(body, in);
  const auto* error = std::get_if<client_error>(&translated);
  if (error == nullptr)
    return "no error";
  EXPECT_FALSE(error->message.empty());
  return error->what == fault::invalid_request ? error->param.value_or("-") : "other fault";
}

} // namespace troupe::openai
