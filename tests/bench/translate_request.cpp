#include "protocol/openai/chat.hpp"

#include <benchmark/benchmark.h>

#include <string>

// What it costs to translate a chat request. The instruction budgets of docs/performance.md
// are counted with callgrind over these; the times here are for comparison only.

namespace {

using namespace troupe;

/// A small request as chat programs send it: 600 bytes.
std::string small_request() {
  std::string body =
      R"({"model":"gemini-2.5-flash","stream":true,"stream_options":{"include_usage":true},)"
      R"("temperature":0.7,"top_p":0.95,"max_tokens":1024,"messages":[)"
      R"({"role":"system","content":"You are a helpful assistant. Answer briefly."},)"
      R"({"role":"user","content":"What is the capital of France?"},)"
      R"({"role":"assistant","content":"The capital of France is Paris."},)"
      R"({"role":"user","content":")";
  const std::string end = R"("}]})";
  const std::string filler = "And how many people live there, roughly, in the city itself? ";
  while (body.size() + end.size() < 600)
    body += filler.substr(0, 600 - body.size() - end.size());
  return body + end;
}

/// A long conversation: 64 KB of `line`, twelve to a message.
std::string conversation(const std::string& line) {
  std::string body = R"({"model":"gemini-2.5-pro","messages":[{"role":"system","content":"S"})";
  for (int turn = 0; body.size() < 64 * 1024; ++turn) {
    body += R"(,{"role":")";
    body += turn % 2 == 0 ? "user" : "assistant";
    body += R"(","content":")";
    for (int i = 0; i < 12; ++i)
      body += line;
    body += R"("})";
  }
  return body + "]}";
}

std::string prose() {
  return conversation(R"(The committee met on Tuesday and talked about the budget for next year. )"
                      R"(Nobody was surprised that it took four hours; \"as always\", said the )"
                      R"(chair, and closed the meeting.\n)");
}

/// Something to escape every ten bytes, and not only ASCII.
std::string code() {
  return conversation(
      R"(for (int i = 0; i < n; ++i)\n  printf(\"%d of %d\\n\", i, n); // a remark – café\n)");
}

/// An agent's request: twenty tools and calls in its history.
std::string agent_request() {
  std::string body =
      R"({"model":"gemini-3-pro-preview","messages":[{"role":"user","content":"Do it."})";
  for (int i = 0; i < 20; ++i) {
    const auto id = "call_" + std::to_string(i);
    body += R"(,{"role":"assistant","content":null,"tool_calls":[{"id":")" + id
            + R"(","type":"function","function":{"name":"read_file","arguments":)"
              R"("{\"path\": \"/src/main.cpp\", \"line\": 17}"}}]})"
              R"(,{"role":"tool","tool_call_id":")"
            + id + R"(","content":"int main() { return 0; }"})";
  }
  body += R"(],"tools":[)";
  for (int i = 0; i < 20; ++i)
    body += std::string(i == 0 ? "" : ",") + R"({"type":"function","function":{"name":"tool_)"
            + std::to_string(i)
            + R"(","description":"Does one thing and does it well.","parameters":{"type":"object",)"
              R"("additionalProperties":false,"properties":{"path":{"type":"string",)"
              R"("description":"Where"},"line":{"type":"integer","minimum":1},"mode":)"
              R"({"type":["string","null"],"enum":["a","b",null]},"names":{"type":"array",)"
              R"("items":{"type":"string"}}},"required":["path"]}}})";
  return body + "]}";
}

void translate(benchmark::State& state, const std::string& body) {
  const translation_options options;
  const request_context context;
  for (auto _ : state) {
    auto outcome = openai::translate_chat_request(body, options, context);
    if (outcome.index() != 0)
      state.SkipWithError("not translated");
    benchmark::DoNotOptimize(outcome);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}

} // namespace

BENCHMARK_CAPTURE(translate, small, small_request());
BENCHMARK_CAPTURE(translate, prose_64k, prose());
BENCHMARK_CAPTURE(translate, code_64k, code());
BENCHMARK_CAPTURE(translate, agent, agent_request());

BENCHMARK_MAIN();
