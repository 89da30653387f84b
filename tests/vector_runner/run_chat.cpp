#include "protocol/gemini/classify.hpp"
#include "protocol/gemini/model_name.hpp"
#include "protocol/openai/chat.hpp"
#include "protocol/sse/parser.hpp"
#include "tests/vector_runner/run.hpp"

#include <nlohmann/json.hpp>

namespace troupe::vectors {
namespace {

constexpr auto created = std::chrono::seconds{1'700'000'000};
constexpr std::uint64_t id_seed = 0x5EED;

openai::answer_context context_of_answer() {
  return {.created = created, .id_seed = id_seed, .request_id = "r"};
}

/// Facts of a request that the vector gives without its messages.
openai::chat_facts facts_of(const json& request, const vector_context& context) {
  openai::chat_facts facts;
  facts.model_asked = request.at("model").get<std::string>();
  const auto& known = context.request.models ? *context.request.models : built_in_models();
  facts.model = gemini::parse_model_name(facts.model_asked, known).upstream;
  facts.stream = request.value("stream", false);
  if (request.contains("stream_options"))
    facts.include_usage = request["stream_options"].value("include_usage", false);
  return facts;
}

/// The error that an event of a stream or an answer amounts to, as the front makes it.
client_error classified(int status, std::string_view payload, const openai::chat_facts& facts) {
  const gemini::answer_facts at{.model = facts.model, .now = wall_time{created}};
  return gemini::to_client_error(gemini::classify(status, payload, at), status, payload);
}

/// What a client sees of a stream: payloads, or a plain answer if it never began.
struct seen_stream {
  std::string frames;
  std::optional<client_error> refused;
};

seen_stream play(const json& input, openai::chat_stream& stream, const openai::chat_facts& facts) {
  seen_stream seen;
  const auto fail = [&](const client_error& error) {
    if (stream.begun())
      seen.frames += render_stream_error(error, surface::openai, "r");
    else
      seen.refused = error;
  };
  for (const auto& event : input.at("events")) {
    if (stream.on_event(event.dump(), seen.frames) == openai::chat_stream::step::more)
      continue;
    fail(classified(stream.upstream_error_status(), stream.upstream_error(), facts));
    return seen;
  }
  if (input.at("end") == "reset")
    fail({.what = fault::upstream_error, .message = "The upstream's connection broke."});
  else if (const auto error = stream.on_end(seen.frames))
    fail(*error);
  return seen;
}

/// Reads the frames back as a client does; `[DONE]` stands for itself.
json payloads_of(const std::string& frames, matcher& found) {
  json list = json::array();
  sse::parser parser{std::size_t{64} << 20};
  parser.feed(frames);
  for (std::string_view payload; parser.next(payload);) {
    if (payload == "[DONE]") {
      list.push_back("[DONE]");
    } else if (auto value = parse_json(std::string{payload})) {
      list.push_back(std::move(*value));
    } else {
      found.report("events[" + std::to_string(list.size()) + "]", "JSON", std::string{payload});
      list.push_back(nullptr);
    }
  }
  if (!parser.idle())
    found.report("events", "whole frames", "bytes after the last frame");
  return list;
}

std::string_view
code_of(const std::variant<openai::chat_request, openai::needs_media, client_error>& outcome) {
  switch (outcome.index()) {
  case 0:
    return "a request";
  case 1:
    return "media to fetch";
  default:
    return "an error";
  }
}

} // namespace

bool run_request(const json& vector, matcher& found) {
  const vector_context context{vector.at("context")};
  if (!context.error.empty()) {
    found.report("context", "names and values that exist", context.error);
    return true;
  }
  const auto& input = vector.at("input");
  if (!input.contains("body") && !input.contains("raw_body"))
    return false;
  const auto body =
      input.contains("raw_body") ? input["raw_body"].get<std::string>() : input["body"].dump();
  const auto outcome = openai::translate_chat_request(body, context.options, context.request);
  const auto& expected = vector.at("expected");
  if (expected.contains("error")) {
    if (const auto* error = std::get_if<client_error>(&outcome))
      match_error(expected["error"], *error, surface::openai, found);
    else
      found.report("(outcome)", "an error", std::string{code_of(outcome)});
    return true;
  }
  const auto* request = std::get_if<openai::chat_request>(&outcome);
  if (!request) {
    const auto* error = std::get_if<client_error>(&outcome);
    found.report("(outcome)", "a request",
                 std::string{code_of(outcome)} + (error ? ": " + error->message : ""));
    return true;
  }
  found.match(expected.at("path"), json(request->path), "path");
  match_text(expected.at("body"), request->body, "body", found);
  return true;
}

bool run_response(const json& vector, matcher& found) {
  const vector_context context{vector.at("context")};
  const auto& input = vector.at("input");
  if (input.at("status") != 200)
    return false;
  const auto facts = facts_of(input.at("request"), context);
  const auto outcome = openai::translate_chat_response(input.at("body").dump(), facts,
                                                       context.options, context_of_answer());
  const auto& expected = vector.at("expected");
  if (const auto* error = std::get_if<client_error>(&outcome)) {
    match_error(expected, *error, surface::openai, found);
    return true;
  }
  found.match(expected.at("status"), json(200), "status");
  match_text(expected.at("body"), *std::get_if<std::string>(&outcome), "body", found);
  return true;
}

bool run_stream(const json& vector, matcher& found) {
  const vector_context context{vector.at("context")};
  const auto& input = vector.at("input");
  const auto facts = facts_of(input.at("request"), context);
  openai::chat_stream stream{facts, context.options, context_of_answer()};
  const auto seen = play(input, stream, facts);
  const auto& expected = vector.at("expected");
  if (seen.refused) {
    match_error(expected, *seen.refused, surface::openai, found);
    return true;
  }
  found.match(expected.at("status"), json(200), "status");
  if (expected.contains("events"))
    found.match(expected["events"], payloads_of(seen.frames, found), "events");
  else
    found.report("events", "no stream", seen.frames);
  return true;
}

namespace {

/// Takes the members of these names away, at any depth.
void drop_members(json& value, const std::vector<std::string>& names) {
  if (value.is_object())
    for (const auto& name : names)
      value.erase(name);
  for (auto& below : value)
    if (below.is_structured())
      drop_members(below, names);
}

/// The history of RT1: a question, the answer, a result for each of its calls.
json history_with(const json& answer, const std::string& model, const std::string& result) {
  json messages = json::array();
  messages.push_back({{"role", "user"}, {"content", "q"}});
  messages.push_back(answer);
  if (answer.contains("tool_calls"))
    for (const auto& call : answer["tool_calls"])
      messages.push_back({{"role", "tool"}, {"tool_call_id", call.at("id")}, {"content", result}});
  return {{"model", model}, {"messages", messages}};
}

} // namespace

bool run_round_trip(const json& vector, matcher& found) {
  const vector_context context{vector.at("context")};
  const auto& input = vector.at("input");
  const auto facts = facts_of(input.at("request"), context);
  const auto answered = openai::translate_chat_response(input.at("body").dump(), facts,
                                                        context.options, context_of_answer());
  const auto* text = std::get_if<std::string>(&answered);
  auto answer = text ? parse_json(*text) : std::nullopt;
  if (!answer) {
    found.report("(answer)", "a chat completion", text ? *text : "an error");
    return true;
  }
  auto message = answer->at("choices").at(0).at("message");
  drop_members(message, input.value("client_drops", std::vector<std::string>{}));
  const auto request = openai::translate_chat_request(
      history_with(message, facts.model_asked, input.at("tool_result").get<std::string>()).dump(),
      context.options, context.request);
  const auto* translated = std::get_if<openai::chat_request>(&request);
  const auto body = translated ? parse_json(translated->body) : std::nullopt;
  if (!body) {
    found.report("(history)", "a request", std::string{code_of(request)});
    return true;
  }
  for (const auto& content : body->at("contents"))
    if (content.at("role") == "model") {
      found.match(vector.at("expected").at("model_content"), content, "model_content");
      return true;
    }
  found.report("model_content", "a content with role model", body->dump());
  return true;
}

} // namespace troupe::vectors
