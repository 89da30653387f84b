#include "sandbox/prompt.hpp"
#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sandbox {

namespace {

std::string dump(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_of(const json& content) {
  if (content.is_string())
    return content.get<std::string>();
  std::string text;
  if (content.is_array())
    for (const auto& block : content)
      if (block.is_object() && block.value("type", "") == "text" && block.contains("text")
          && block["text"].is_string())
        text += block["text"].get<std::string>();
  return text;
}

json message(const call& c, json content, json stop, std::uint64_t in, std::uint64_t out) {
  return {{"id", "msg_sandbox_" + std::to_string(c.number)},
          {"type", "message"},
          {"role", "assistant"},
          {"model", c.model},
          {"content", std::move(content)},
          {"stop_reason", std::move(stop)},
          {"stop_sequence", nullptr},
          {"usage",
           {{"input_tokens", in - std::min(in, c.cached_tokens)},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", c.cached_tokens},
            {"output_tokens", out}}}};
}

class anthropic_events : public event_source {
public:
  anthropic_events(call c, text_plan text, std::uint64_t prompt_tokens)
      : call_(std::move(c)), text_(std::move(text)), prompt_tokens_(prompt_tokens) {}

  bool next(std::string& out) override {
    if (at_ == 0) {
      event(out, "message_start",
            {{"message", message(call_, json::array(), nullptr, prompt_tokens_, 1)}});
      event(out, "content_block_start",
            {{"index", 0}, {"content_block", {{"type", "text"}, {"text", ""}}}});
    } else if (at_ <= text_.pieces()) {
      event(out, "content_block_delta",
            {{"index", 0}, {"delta", {{"type", "text_delta"}, {"text", text_.piece(at_ - 1)}}}});
    } else if (at_ == text_.pieces() + 1) {
      event(out, "content_block_stop", {{"index", 0}});
      event(out, "message_delta",
            {{"delta", {{"stop_reason", "end_turn"}, {"stop_sequence", nullptr}}},
             {"usage", {{"output_tokens", tokens_of(text_.whole())}}}});
      event(out, "message_stop", json::object());
    } else {
      return false;
    }
    ++at_;
    return true;
  }

  std::uint64_t output_tokens() const override {
    return tokens_of(text_.first(at_ > 0 ? at_ - 1 : 0));
  }

  std::string error_event(const fault& given) const override {
    auto f = given;
    f.raw.clear();
    return "event: error\ndata: " + anthropic_error(f) + "\n\n";
  }

private:
  static void event(std::string& out, const char* type, json data) {
    json whole = {{"type", type}};
    whole.update(data);
    out += std::string{"event: "} + type + "\ndata: " + dump(whole) + "\n\n";
  }

  call call_;
  text_plan text_;
  std::uint64_t prompt_tokens_;
  std::uint64_t at_ = 0;
};

} // namespace

answer anthropic_answer(const call& c, const rule& bent) {
  const auto& body = *c.sent;
  const auto wrong = [&](const char* message) { return error_answer(c, bad_request(message)); };
  if (!body.is_object())
    return wrong("The request body is not valid JSON");
  if (!body.contains("messages") || !body["messages"].is_array() || body["messages"].empty())
    return wrong("messages: at least one message is required");
  if (!body.contains("max_tokens") || !body["max_tokens"].is_number_unsigned())
    return wrong("max_tokens: Field required");
  std::string said;
  const auto tokens = weigh(c.spoken, c.what, body).tokens;
  for (const auto& m : body["messages"]) {
    const auto text = m.is_object() && m.contains("content") ? text_of(m["content"]) : "";
    if (m.is_object() && m.value("role", "") == "user")
      said = text;
  }
  if (bent.empty) {
    answer a;
    a.body = dump(message(c, json::array(), "end_turn", tokens, 0));
    return a;
  }
  text_plan text{bent.text.value_or(greeting(c.model, said)), bent.events, bent.event_bytes};
  answer a;
  if (!c.streams) {
    const auto words = text.whole();
    a.body = dump(message(c, json::array({{{"type", "text"}, {"text", words}}}), "end_turn", tokens,
                          tokens_of(words)));
    a.output_tokens = tokens_of(words);
    return a;
  }
  auto mine = c;
  mine.body = {};
  mine.query = {};
  a.content_type = "text/event-stream; charset=utf-8";
  a.tokens_per_event = bent.event_bytes > 0 ? (bent.event_bytes + 3) / 4 : 4;
  a.events = std::make_unique<anthropic_events>(std::move(mine), std::move(text), tokens);
  return a;
}

} // namespace sandbox
