#include "sandbox/gemini_shapes.hpp"
#include "sandbox/prompt.hpp"
#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace sandbox {

namespace {

constexpr std::int64_t made_at = 1'760'000'000;
constexpr std::uint64_t dimensions = 8;

std::string dump(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The last text of `input`, which is a text or a list of messages.
std::string last_said(const json& input) {
  if (input.is_string())
    return input.get<std::string>();
  std::string said;
  if (!input.is_array())
    return said;
  for (const auto& item : input) {
    const auto* content = member(item, "content");
    if (content == nullptr)
      continue;
    if (content->is_string())
      said = content->get<std::string>();
    else if (content->is_array() && !content->empty())
      if (const auto* text = member(content->back(), "text"); text != nullptr && text->is_string())
        said = text->get<std::string>();
  }
  return said;
}

/// What both forms of an answer are made of.
struct reply_facts {
  std::string id;
  std::string message_id;
  std::string model;
  json previous;
  std::uint64_t input = 0;
  std::uint64_t cached = 0;
};

json text_part(const std::string& text) {
  return {{"type", "output_text"}, {"text", text}, {"annotations", json::array()}};
}

json message(const reply_facts& r, const char* status, json content) {
  return {{"id", r.message_id},
          {"type", "message"},
          {"status", status},
          {"role", "assistant"},
          {"content", std::move(content)}};
}

json response(const reply_facts& r, const char* status, json output, json usage) {
  return {{"id", r.id},
          {"object", "response"},
          {"created_at", made_at},
          {"status", status},
          {"error", nullptr},
          {"incomplete_details", nullptr},
          {"model", r.model},
          {"output", std::move(output)},
          {"previous_response_id", r.previous},
          {"usage", std::move(usage)}};
}

json usage(const reply_facts& r, std::uint64_t output) {
  return {{"input_tokens", r.input},
          {"input_tokens_details", {{"cached_tokens", r.cached}}},
          {"output_tokens", output},
          {"output_tokens_details", {{"reasoning_tokens", 0}}},
          {"total_tokens", r.input + output}};
}

json completed(const reply_facts& r, const std::string& text) {
  return response(r, "completed",
                  json::array({message(r, "completed", json::array({text_part(text)}))}),
                  usage(r, tokens_of(text)));
}

class response_events : public event_source {
public:
  response_events(reply_facts r, text_plan text) : r_(std::move(r)), text_(std::move(text)) {}

  bool next(std::string& out) override {
    if (at_ == 0)
      begin(out);
    else if (at_ <= text_.pieces())
      event(out, "response.output_text.delta",
            {{"item_id", r_.message_id},
             {"output_index", 0},
             {"content_index", 0},
             {"delta", text_.piece(at_ - 1)},
             {"logprobs", json::array()}});
    else if (at_ == text_.pieces() + 1)
      finish(out);
    else
      return false;
    ++at_;
    return true;
  }

  std::uint64_t output_tokens() const override {
    return tokens_of(text_.first(at_ > 0 ? at_ - 1 : 0));
  }

  std::string error_event(const fault& f) const override {
    return "event: error\ndata: "
           + dump({{"type", "error"},
                   {"code", "server_error"},
                   {"message", f.message},
                   {"param", nullptr},
                   {"sequence_number", sequence_}})
           + "\n\n";
  }

private:
  void begin(std::string& out) {
    const auto running = response(r_, "in_progress", json::array(), nullptr);
    event(out, "response.created", {{"response", running}});
    event(out, "response.in_progress", {{"response", running}});
    event(out, "response.output_item.added",
          {{"output_index", 0}, {"item", message(r_, "in_progress", json::array())}});
    event(out, "response.content_part.added",
          {{"item_id", r_.message_id},
           {"output_index", 0},
           {"content_index", 0},
           {"part", text_part("")}});
  }

  void finish(std::string& out) {
    const auto text = text_.whole();
    event(out, "response.output_text.done",
          {{"item_id", r_.message_id},
           {"output_index", 0},
           {"content_index", 0},
           {"text", text},
           {"logprobs", json::array()}});
    event(out, "response.content_part.done",
          {{"item_id", r_.message_id},
           {"output_index", 0},
           {"content_index", 0},
           {"part", text_part(text)}});
    event(
        out, "response.output_item.done",
        {{"output_index", 0}, {"item", message(r_, "completed", json::array({text_part(text)}))}});
    event(out, "response.completed", {{"response", completed(r_, text)}});
  }

  void event(std::string& out, const char* type, json data) {
    json whole = {{"type", type}, {"sequence_number", sequence_++}};
    whole.update(data);
    out += std::string{"event: "} + type + "\ndata: " + dump(whole) + "\n\n";
  }

  reply_facts r_;
  text_plan text_;
  std::uint64_t at_ = 0;
  std::uint64_t sequence_ = 0;
};

answer unknown_previous(const call& c, const std::string& id) {
  auto f = bad_request("Previous response with id '" + id + "' not found.");
  f.openai_code = "previous_response_not_found";
  f.openai_param = "previous_response_id";
  return error_answer(c, f);
}

} // namespace

answer openai_response(const call& c, const rule& bent, world& w) {
  const auto& body = *c.sent;
  const auto* input = member(body, "input");
  if (input == nullptr)
    return error_answer(c, bad_request("Missing required parameter: 'input'."));
  reply_facts r;
  if (const auto* previous = member(body, "previous_response_id")) {
    const auto id = previous->get<std::string>();
    if (!w.find_resource(id, c.key))
      return unknown_previous(c, id);
    r.previous = id;
  }
  const auto number = std::to_string(c.number);
  r.id = "resp_sandbox" + number;
  r.message_id = "msg_sandbox" + number;
  r.model = c.model;
  r.input = weigh(c.spoken, c.what, body).tokens;
  r.cached = c.cached_tokens;
  w.keep({r.id, c.key, c.model, r.input, now()});
  text_plan text{bent.text.value_or(greeting(c.model, last_said(*input))), bent.events,
                 bent.event_bytes};
  answer a;
  if (bent.empty || !c.streams) {
    const auto words = bent.empty ? std::string{} : text.whole();
    a.body = dump(bent.empty ? response(r, "completed", json::array(), usage(r, 0))
                             : completed(r, words));
    a.output_tokens = tokens_of(words);
    return a;
  }
  a.content_type = "text/event-stream; charset=utf-8";
  a.events = std::make_unique<response_events>(std::move(r), std::move(text));
  return a;
}

answer openai_embeddings(const call& c) {
  const auto& body = *c.sent;
  const auto* input = member(body, "input");
  const bool one = input != nullptr && input->is_string();
  if (!one && (input == nullptr || !input->is_array() || input->empty()))
    return error_answer(c, bad_request("'input' is a required property and must not be empty"));
  json data = json::array();
  for (std::size_t i = 0; i < (one ? 1 : input->size()); ++i) {
    const auto& text = one ? *input : (*input)[i];
    json vector = json::array();
    for (std::uint64_t d = 0; d < dimensions; ++d)
      vector.push_back(static_cast<double>((text.dump().size() + d) % 100) / 100);
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", std::move(vector)}});
  }
  const auto tokens = weigh(c.spoken, c.what, body).tokens;
  answer a;
  a.body = dump({{"object", "list"},
                 {"data", std::move(data)},
                 {"model", c.model},
                 {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}});
  return a;
}

} // namespace sandbox
