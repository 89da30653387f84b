#include "sandbox/models.hpp"
#include "sandbox/prompt.hpp"
#include "sandbox/sampler.hpp"
#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace sandbox {

namespace {

constexpr const char* models[] = {"sandbox-large", "sandbox-small"};
constexpr std::int64_t made_at = 1'760'000'000;

std::string dump(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_of(const json& content) {
  if (content.is_string())
    return content.get<std::string>();
  std::string text;
  if (content.is_array())
    for (const auto& part : content)
      if (part.is_object() && part.value("type", "") == "text" && part.contains("text")
          && part["text"].is_string())
        text += part["text"].get<std::string>();
  return text;
}

bool knows(std::string_view model) {
  for (const auto* m : models)
    if (model == m)
      return true;
  return model.starts_with("gpt-") || model.starts_with("text-embedding-")
         || is_gemini_model(model);
}

answer wrong(const call& c, std::string message) {
  return error_answer(c, bad_request(std::move(message)));
}

json model_entry(std::string_view id) {
  return {{"id", id}, {"object", "model"}, {"created", made_at}, {"owned_by", "troupe-sandbox"}};
}

struct turn {
  std::string text;
  std::vector<json> calls;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  bool usage = false;
};

turn read_turn(const json& body, const call& c) {
  turn t;
  t.prompt_tokens = weigh(c.spoken, c.what, body).tokens;
  t.cached_tokens = c.cached_tokens;
  std::string said, told;
  for (const auto& m : body["messages"]) {
    const auto text = m.is_object() && m.contains("content") ? text_of(m["content"]) : "";
    const auto role = m.is_object() ? m.value("role", "") : "";
    told = role == "tool" ? text : "";
    if (role == "user")
      said = text;
  }
  if (!told.empty()) {
    t.text = "The troupe sandbox received: " + told;
  } else {
    t.text = greeting(c.model, said);
    for (const auto& tool : body.value("tools", json::array())) {
      const auto f = tool.value("function", json::object());
      const auto name = f.value("name", "");
      if (name.empty() || said.find("call " + name) == said.npos)
        continue;
      const auto args = dump(sample(f.value("parameters", json::object()), "sandbox"));
      t.calls.push_back(
          {{"index", t.calls.size()},
           {"id", "call_" + std::to_string(c.number) + "_" + std::to_string(t.calls.size() + 1)},
           {"type", "function"},
           {"function", {{"name", name}, {"arguments", args}}}});
    }
  }
  const auto options = body.value("stream_options", json::object());
  t.usage = options.is_object() && options.value("include_usage", false);
  return t;
}

json usage(const turn& t, std::uint64_t out) {
  return {{"prompt_tokens", t.prompt_tokens},
          {"completion_tokens", out},
          {"total_tokens", t.prompt_tokens + out},
          {"prompt_tokens_details", {{"cached_tokens", t.cached_tokens}}}};
}

class openai_events : public event_source {
public:
  openai_events(turn t, text_plan text, std::string model, std::uint64_t number)
      : turn_(std::move(t)), text_(std::move(text)), model_(std::move(model)), number_(number) {}

  bool next(std::string& out) override {
    const auto steps = turn_.calls.empty() ? text_.pieces() : turn_.calls.size();
    if (at_ == 0)
      chunk(out, {{"role", "assistant"}, {"content", ""}}, nullptr);
    else if (at_ <= steps && turn_.calls.empty())
      chunk(out, {{"content", text_.piece(at_ - 1)}}, nullptr);
    else if (at_ <= steps)
      chunk(out, {{"tool_calls", json::array({turn_.calls[at_ - 1]})}}, nullptr);
    else if (at_ == steps + 1)
      chunk(out, json::object(), turn_.calls.empty() ? "stop" : "tool_calls");
    else if (at_ == steps + 2)
      finish(out, tokens_of(text_.whole()));
    else
      return false;
    ++at_;
    return true;
  }

  std::uint64_t output_tokens() const override {
    return tokens_of(text_.first(at_ > 0 ? at_ - 1 : 0));
  }

  std::string error_event(const fault& given) const override {
    auto f = given;
    f.raw.clear();
    return "data: " + openai_error(f) + "\n\n";
  }

private:
  json frame() const {
    return {{"id", "chatcmpl-sandbox-" + std::to_string(number_)},
            {"object", "chat.completion.chunk"},
            {"created", made_at},
            {"model", model_}};
  }
  void chunk(std::string& out, json delta, json finish_reason) const {
    auto f = frame();
    f["choices"] = json::array(
        {{{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(finish_reason)}}});
    out += "data: " + dump(f) + "\n\n";
  }
  void finish(std::string& out, std::uint64_t tokens) const {
    if (turn_.usage) {
      auto f = frame();
      f["choices"] = json::array();
      f["usage"] = usage(turn_, tokens);
      out += "data: " + dump(f) + "\n\n";
    }
    out += "data: [DONE]\n\n";
  }

  turn turn_;
  text_plan text_;
  std::string model_;
  std::uint64_t number_;
  std::uint64_t at_ = 0;
};

answer whole(const call& c, const rule& bent, const turn& t, const text_plan& text) {
  json message = {{"role", "assistant"}, {"content", text.whole()}};
  if (!t.calls.empty()) {
    auto calls = json(t.calls);
    for (auto& one : calls)
      one.erase("index");
    message["content"] = nullptr;
    message["tool_calls"] = std::move(calls);
  }
  auto finish = bent.finish_reason.empty() ? std::string{t.calls.empty() ? "stop" : "tool_calls"}
                                           : bent.finish_reason;
  json choices = json::array();
  if (!bent.empty)
    choices.push_back({{"index", 0}, {"message", std::move(message)}, {"finish_reason", finish}});
  const auto tokens = bent.empty ? 0 : tokens_of(text.whole());
  answer a;
  a.output_tokens = tokens;
  a.body = dump({{"id", "chatcmpl-sandbox-" + std::to_string(c.number)},
                 {"object", "chat.completion"},
                 {"created", made_at},
                 {"model", c.model},
                 {"choices", std::move(choices)},
                 {"usage", usage(t, tokens)}});
  return a;
}

answer chat(const call& c, const rule& bent) {
  const auto& body = *c.sent;
  if (!body.is_object())
    return wrong(c, "We could not parse the JSON body of your request.");
  if (!body.contains("messages") || !body["messages"].is_array() || body["messages"].empty())
    return wrong(c, "'messages' is a required property and must not be empty");
  auto t = read_turn(body, c);
  text_plan text{bent.text.value_or(t.text), bent.events, bent.event_bytes};
  if (!c.streams)
    return whole(c, bent, t, text);
  answer a;
  if (bent.empty) {
    a.content_type = "text/event-stream; charset=utf-8";
    a.events = repeat("", 1, "data: [DONE]\n\n", 0);
    return a;
  }
  a.content_type = "text/event-stream; charset=utf-8";
  a.tokens_per_event = bent.event_bytes > 0 ? (bent.event_bytes + 3) / 4 : 4;
  a.events = std::make_unique<openai_events>(std::move(t), std::move(text), c.model, c.number);
  return a;
}

} // namespace

answer openai_answer(const call& c, const rule& bent, world& w) {
  if (c.what == method::models) {
    json list = json::array();
    for (const auto* m : models)
      list.push_back(model_entry(m));
    answer a;
    a.body = dump({{"object", "list"}, {"data", std::move(list)}});
    return a;
  }
  if (!knows(c.model)) {
    auto f = bad_request("The model `" + c.model + "` does not exist.");
    f.status = 404;
    return error_answer(c, f);
  }
  if (c.what == method::model) {
    answer a;
    a.body = dump(model_entry(c.model));
    return a;
  }
  if (c.what == method::responses)
    return openai_response(c, bent, w);
  if (c.what == method::embeddings)
    return openai_embeddings(c);
  return chat(c, bent);
}

} // namespace sandbox
