#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sandbox {

namespace {

// Makes the Gemini body about 600 bytes long: the size that the figures of the
// benchmark are stated for.
constexpr std::string_view fixed_text =
    "Hello from the troupe sandbox. This answer is always the same: nobody has looked at what you "
    "asked, so that what stands between you and the sandbox is measured, and not the sandbox. If "
    "you read this in a conversation, the gateway works, and its upstream is only played: start "
    "troupe with a real key to hear from a real model. These last words are here to fill the "
    "answer up.";

json gemini_event(std::string_view text, std::uint64_t spoken, bool last) {
  json candidate = {{"content", {{"parts", json::array({{{"text", text}}})}, {"role", "model"}}}};
  if (last)
    candidate["finishReason"] = "STOP";
  candidate["index"] = 0;
  return {{"candidates", json::array({std::move(candidate)})},
          {"usageMetadata",
           {{"promptTokenCount", fixed_input_tokens},
            {"candidatesTokenCount", spoken},
            {"totalTokenCount", fixed_input_tokens + spoken}}},
          {"modelVersion", "sandbox"},
          {"responseId", "sandbox-fixed"}};
}

json openai_event(std::string_view text, bool last) {
  return {{"id", "chatcmpl-sandbox-fixed"},
          {"object", "chat.completion.chunk"},
          {"created", 1'760'000'000},
          {"model", "sandbox"},
          {"choices", json::array({{{"index", 0},
                                    {"delta", {{"content", text}}},
                                    {"finish_reason", last ? json("stop") : json(nullptr)}}})}};
}

std::string openai_whole() {
  const json body = {
      {"id", "chatcmpl-sandbox-fixed"},
      {"object", "chat.completion"},
      {"created", 1'760'000'000},
      {"model", "sandbox"},
      {"choices", json::array({{{"index", 0},
                                {"message", {{"role", "assistant"}, {"content", fixed_text}}},
                                {"finish_reason", "stop"}}})},
      {"usage",
       {{"prompt_tokens", fixed_input_tokens},
        {"completion_tokens", fixed_output_tokens},
        {"total_tokens", fixed_input_tokens + fixed_output_tokens}}}};
  return body.dump();
}

} // namespace

answer fixed_answer(const call& c, const rule& bent) {
  static const auto gemini_body = gemini_event(fixed_text, fixed_output_tokens, true).dump();
  static const auto openai_body = openai_whole();
  answer a;
  const bool openai = c.spoken == dialect::openai;
  if (!c.streams) {
    a.body = openai ? openai_body : gemini_body;
    a.output_tokens = fixed_output_tokens;
    return a;
  }
  a.content_type = "text/event-stream";
  const text_plan text{std::string{}, std::max<std::uint64_t>(bent.events, 1),
                       std::max<std::uint64_t>(bent.event_bytes, 20)};
  a.tokens_per_event = (std::max<std::uint64_t>(bent.event_bytes, 20) + 3) / 4;
  const auto event = [&](bool last) {
    const auto j = openai ? openai_event(text.piece(0), last)
                          : gemini_event(text.piece(0), fixed_output_tokens, last);
    return "data: " + j.dump() + (openai ? "\n\n" : "\r\n\r\n");
  };
  a.events = repeat(event(false), text.pieces(), event(true) + (openai ? "data: [DONE]\n\n" : ""),
                    fixed_output_tokens);
  return a;
}

} // namespace sandbox
