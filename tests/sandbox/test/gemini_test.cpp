#include "client.hpp"

#include <gtest/gtest.h>

namespace sandbox::test {
namespace {

std::string path(std::string_view model, std::string_view verb) {
  return "/v1beta/models/" + std::string{model} + ":" + std::string{verb};
}

std::string said(const response& r) {
  const auto j = r.parsed();
  std::string text;
  for (const auto& p : j["candidates"][0]["content"]["parts"])
    text += p.value("text", "");
  return text;
}

std::string message(const response& r) {
  return r.parsed()["error"]["message"].get<std::string>();
}

TEST(gemini, says_that_it_is_the_sandbox_and_echoes_the_prompt) {
  host h;
  const auto r = h.post(generate, hello);
  EXPECT_EQ(r.status, 200);
  EXPECT_NE(said(r).find("Hello from the troupe sandbox"), std::string::npos);
  EXPECT_NE(said(r).find("hello there"), std::string::npos);
  const auto j = r.parsed();
  EXPECT_EQ(j["candidates"][0]["finishReason"], "STOP");
  EXPECT_EQ(j["usageMetadata"]["totalTokenCount"].get<int>(),
            j["usageMetadata"]["promptTokenCount"].get<int>()
                + j["usageMetadata"]["candidatesTokenCount"].get<int>());
}

TEST(gemini, a_body_nested_beyond_reason_is_refused_and_survived) {
  host h;
  const auto r = h.post(generate, "{\"contents\":" + std::string(100'000, '[')
                                      + std::string(100'000, ']') + "}");
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(h.post(generate, hello).status, 200);
}

TEST(gemini, streams_the_text_of_the_whole_answer_in_crlf_events_without_an_end_marker) {
  host h;
  const auto whole = said(h.post(generate, hello));
  auto r = h.post(stream, hello);
  EXPECT_EQ(r.headers["content-type"], "text/event-stream");
  const auto events = events_of(r.body);
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(text_of(events), whole);
  EXPECT_TRUE(r.body.ends_with("}\r\n\r\n"));
  EXPECT_EQ(r.body.find("[DONE]"), std::string::npos);
  for (std::size_t i = 0; i + 1 < events.size(); ++i)
    EXPECT_FALSE(events[i]["candidates"][0].contains("finishReason"));
  EXPECT_EQ(events.back()["candidates"][0]["finishReason"], "STOP");
}

TEST(gemini, usage_of_a_stream_is_cumulative_and_ends_like_the_whole) {
  host h;
  const auto whole = h.post(generate, hello).parsed()["usageMetadata"];
  int before = 0;
  const auto events = events_of(h.post(stream, hello).body);
  for (const auto& e : events) {
    const auto spoken = e["usageMetadata"]["candidatesTokenCount"].get<int>();
    EXPECT_GE(spoken, before);
    before = spoken;
  }
  EXPECT_EQ(events.back()["usageMetadata"], whole);
}

TEST(gemini, without_sse_a_stream_is_one_array_with_commas_on_their_own_lines) {
  host h;
  const auto r = h.post(path("gemini-2.5-flash", "streamGenerateContent"), hello);
  EXPECT_TRUE(r.body.starts_with("[{\n"));
  EXPECT_TRUE(r.body.ends_with("\n}\n]\n"));
  EXPECT_NE(r.body.find("\n}\n,\r\n{\n"), std::string::npos);
  EXPECT_TRUE(r.parsed().is_array());
}

TEST(gemini, lists_models_in_pages) {
  host h;
  const auto first = h.get("/v1beta/models?pageSize=5").parsed();
  EXPECT_EQ(first["models"].size(), 5);
  std::size_t seen = 5;
  auto token = first["nextPageToken"].get<std::string>();
  while (!token.empty()) {
    const auto next = h.get("/v1beta/models?pageSize=5&pageToken=" + token).parsed();
    seen += next["models"].size();
    token = next.value("nextPageToken", "");
  }
  EXPECT_EQ(seen, h.get("/v1beta/models").parsed()["models"].size());
}

TEST(gemini, describes_a_model_and_denies_unknown_ones) {
  host h;
  EXPECT_EQ(h.get("/v1beta/models/gemini-2.5-pro").parsed()["name"], "models/gemini-2.5-pro");
  EXPECT_EQ(h.get("/v1beta/models/gemini-9").status, 404);
  const auto r = h.post(path("gemini-9", "generateContent"), hello);
  EXPECT_EQ(r.status, 404);
  EXPECT_EQ(r.parsed()["error"]["status"], "NOT_FOUND");
}

TEST(gemini, takes_the_key_from_the_query_too_and_wants_one) {
  host h;
  EXPECT_EQ(h.post(std::string{generate} + "?key=in%2Dquery", hello, "").status, 200);
  EXPECT_EQ(h.counters()[0]["key"], "in-query");
  EXPECT_EQ(h.post(generate, hello, "").status, 403);
}

TEST(gemini, counts_tokens_of_both_forms_and_refuses_both_at_once) {
  host h;
  const auto count = path("gemini-2.5-flash", "countTokens");
  const auto plain = h.post(count, hello).parsed()["totalTokens"];
  EXPECT_EQ(plain, 3); // "hello there": 11 bytes
  const auto wrapped = R"({"generateContentRequest":{"model":"models/gemini-2.5-flash","contents":)"
                       R"([{"parts":[{"text":"hello there"}]}],"systemInstruction":)"
                       R"({"parts":[{"text":"be brief"}]}}})";
  EXPECT_EQ(h.post(count, wrapped).parsed()["totalTokens"], 5);
  EXPECT_EQ(h.post(count, R"({"contents":[],"generateContentRequest":{}})").status, 400);
}

TEST(gemini, refuses_unknown_fields_as_google_does) {
  host h;
  auto r = h.post(generate, R"({"contents":[{"parts":[{"text":"x"}]}],"foo":1})");
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(message(r), "Invalid JSON payload received. Unknown name \"foo\": Cannot find field.");
  r = h.post(generate,
             R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"max_tokens":1}})");
  EXPECT_EQ(message(r), "Invalid JSON payload received. Unknown name \"max_tokens\" at "
                        "'generation_config': Cannot find field.");
  const auto details = r.parsed()["error"]["details"];
  ASSERT_TRUE(details.is_array());
  EXPECT_EQ(details[0]["fieldViolations"][0]["field"], "generation_config");
}

TEST(gemini, accepts_both_spellings_of_a_field) {
  host h;
  EXPECT_EQ(h.post(generate, R"({"contents":[{"parts":[{"text":"x"}]}],)"
                             R"("generation_config":{"max_output_tokens":100,"top_p":0.5}})")
                .status,
            200);
}

TEST(gemini, refuses_what_breaks_a_rule) {
  host h;
  const auto contents = std::string{R"("contents":[{"parts":[{"text":"x"}]}])"};
  const std::vector<std::string> bad = {
      "not json",
      "[]",
      R"({})",
      R"({"contents":[]})",
      R"({"contents":[{"role":"assistant","parts":[{"text":"x"}]}]})",
      R"({"contents":[{"parts":[]}]})",
      R"({"contents":[{"parts":[{"text":"x","inlineData":{"mimeType":"a/b","data":"AA=="}}]}]})",
      R"({"contents":[{"parts":[{"text":7}]}]})",
      "{" + contents + R"(,"generationConfig":{"temperature":3}})",
      "{" + contents + R"(,"generationConfig":{"temperature":"1"}})",
      "{" + contents + R"(,"generationConfig":{"candidateCount":9}})",
      "{" + contents + R"(,"generationConfig":{"presencePenalty":1}})",
      "{" + contents + R"(,"generationConfig":{"stopSequences":["1","2","3","4","5","6"]}})",
      "{" + contents + R"(,"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}})",
      "{" + contents + R"(,"generationConfig":{"responseSchema":{"type":"OBJECT"}}})",
      "{" + contents + R"(,"tools":[{"functionDeclarations":[{"name":"1x"}]}]})",
      "{" + contents
          + R"(,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT"}}]}]})",
      "{" + contents
          + R"(,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT",)"
            R"("properties":{"a":{"type":["STRING","NULL"]}}}}]}]})",
      "{" + contents
          + R"(,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT",)"
            R"("additionalProperties":false,"properties":{"a":{"type":"STRING"}}}}]}]})",
      "{" + contents + R"(,"toolConfig":{"functionCallingConfig":{"mode":"SOMETIMES"}}})",
      "{" + contents + R"(,"cachedContent":"cachedContents/1","tools":[{"codeExecution":{}}]})",
  };
  for (const auto& body : bad) {
    const auto r = h.post(generate, body);
    EXPECT_EQ(r.status, 400) << body;
    EXPECT_EQ(r.parsed()["error"]["status"], "INVALID_ARGUMENT") << body;
  }
}

constexpr std::string_view tools =
    R"("tools":[{"functionDeclarations":[{"name":"get_weather","parameters":{"type":"OBJECT",)"
    R"("properties":{"city":{"type":"STRING"},"days":{"type":"INTEGER","minimum":3}}}},)"
    R"({"name":"get_time"}]}])";

std::string ask(std::string_view text) {
  return R"({"contents":[{"role":"user","parts":[{"text":")" + std::string{text} + R"("}]}],)"
         + std::string{tools} + "}";
}

TEST(gemini, calls_the_function_that_the_user_names_with_fitting_arguments) {
  host h;
  const auto parts =
      h.post(generate, ask("call get_weather")).parsed()["candidates"][0]["content"]["parts"];
  ASSERT_EQ(parts.size(), 1);
  const auto& call = parts[0]["functionCall"];
  EXPECT_EQ(call["name"], "get_weather");
  EXPECT_EQ(call["args"], json::parse(R"({"city":"sandbox","days":3})"));
  EXPECT_TRUE(call["id"].is_string());
  EXPECT_TRUE(parts[0]["thoughtSignature"].is_string());
}

TEST(gemini, signs_only_the_first_of_parallel_calls) {
  host h;
  const auto parts = h.post(generate, ask("call get_weather and call get_time"))
                         .parsed()["candidates"][0]["content"]["parts"];
  ASSERT_EQ(parts.size(), 2);
  EXPECT_TRUE(parts[0].contains("thoughtSignature"));
  EXPECT_FALSE(parts[1].contains("thoughtSignature"));
}

TEST(gemini, tool_choice_any_forces_a_call_and_none_forbids_it) {
  host h;
  auto body = json::parse(ask("good morning"));
  body["toolConfig"] = json::parse(
      R"({"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["get_time"]}})");
  EXPECT_EQ(h.post(generate, body.dump())
                .parsed()["candidates"][0]["content"]["parts"][0]["functionCall"]["name"],
            "get_time");
  body = json::parse(ask("call get_time"));
  body["toolConfig"] = json::parse(R"({"functionCallingConfig":{"mode":"NONE"}})");
  EXPECT_NE(said(h.post(generate, body.dump())), "");
}

json second_turn(const json& model_parts, std::string_view response_name) {
  auto body = json::parse(ask("call get_weather"));
  body["contents"].push_back({{"role", "model"}, {"parts", model_parts}});
  body["contents"].push_back(
      {{"role", "user"},
       {"parts", json::array({{{"functionResponse",
                                {{"name", response_name}, {"response", {{"degrees", 21}}}}}}})}});
  return body;
}

TEST(gemini, quotes_the_response_of_a_function) {
  host h;
  const auto parts =
      h.post(generate, ask("call get_weather")).parsed()["candidates"][0]["content"]["parts"];
  const auto r = h.post(generate, second_turn(parts, "get_weather").dump());
  EXPECT_EQ(said(r), "The troupe sandbox received from get_weather: {\"degrees\":21}.");
}

TEST(gemini, refuses_responses_that_do_not_match_their_calls) {
  host h;
  const auto parts =
      h.post(generate, ask("call get_weather")).parsed()["candidates"][0]["content"]["parts"];
  EXPECT_EQ(h.post(generate, second_turn(parts, "other").dump()).status, 400);
  auto body = second_turn(parts, "get_weather");
  body["contents"].erase(2);
  EXPECT_EQ(h.post(generate, body.dump()).status, 400);
  body = second_turn(parts, "get_weather");
  body["contents"].erase(1);
  EXPECT_EQ(h.post(generate, body.dump()).status, 400);
}

TEST(gemini, from_generation_3_on_a_replayed_call_needs_its_signature) {
  host h;
  const auto three = path("gemini-3-flash-preview", "generateContent");
  auto parts = h.post(three, ask("call get_weather")).parsed()["candidates"][0]["content"]["parts"];
  EXPECT_EQ(h.post(three, second_turn(parts, "get_weather").dump()).status, 200);
  auto unsigned_parts = parts;
  unsigned_parts[0].erase("thoughtSignature");
  const auto r = h.post(three, second_turn(unsigned_parts, "get_weather").dump());
  EXPECT_EQ(r.status, 400);
  EXPECT_NE(message(r).find("Function call is missing a thought_signature"), std::string::npos);
  EXPECT_EQ(h.post(generate, second_turn(unsigned_parts, "get_weather").dump()).status, 200);
  parts[0]["thoughtSignature"] = "skip_thought_signature_validator";
  EXPECT_EQ(h.post(three, second_turn(parts, "get_weather").dump()).status, 200);
  parts[0]["thoughtSignature"] = "Zm9yZ2Vk";
  EXPECT_EQ(h.post(three, second_turn(parts, "get_weather").dump()).status, 400);
}

TEST(gemini, thinks_aloud_when_asked) {
  host h;
  const auto body = R"({"contents":[{"parts":[{"text":"x"}]}],)"
                    R"("generationConfig":{"thinkingConfig":{"includeThoughts":true}}})";
  const auto j = h.post(generate, body).parsed();
  const auto& parts = j["candidates"][0]["content"]["parts"];
  EXPECT_EQ(parts[0]["thought"], true);
  EXPECT_FALSE(parts[1].contains("thought"));
  EXPECT_GT(j["usageMetadata"]["thoughtsTokenCount"].get<int>(), 0);
  const auto events = events_of(h.post(stream, body).body);
  EXPECT_EQ(events[0]["candidates"][0]["content"]["parts"][0]["thought"], true);
}

TEST(gemini, answers_json_that_fits_the_schema) {
  host h;
  const auto body =
      R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseMimeType":)"
      R"("application/json","responseSchema":{"type":"OBJECT","properties":{"n":{"type":"INTEGER"},)"
      R"("tags":{"type":"ARRAY","items":{"type":"STRING","enum":["red","blue"]}}}}}})";
  EXPECT_EQ(json::parse(said(h.post(generate, body))), json::parse(R"({"n":1,"tags":["red"]})"));
}

TEST(gemini, draws_with_image_models) {
  host h;
  const auto r = h.post(path("gemini-2.5-flash-image", "generateContent"), hello).parsed();
  const auto& parts = r["candidates"][0]["content"]["parts"];
  EXPECT_EQ(parts.back()["inlineData"]["mimeType"], "image/png");
  EXPECT_TRUE(parts.back()["inlineData"]["data"].get<std::string>().starts_with("iVBORw0KGgo"));
}

TEST(gemini, stops_at_the_allowed_length) {
  host h;
  const auto j = h.post(generate, R"({"contents":[{"parts":[{"text":"x"}]}],)"
                                  R"("generationConfig":{"maxOutputTokens":2}})")
                     .parsed();
  EXPECT_EQ(j["candidates"][0]["finishReason"], "MAX_TOKENS");
  EXPECT_EQ(j["usageMetadata"]["candidatesTokenCount"], 2);
}

TEST(gemini, gives_as_many_candidates_as_asked_for) {
  host h;
  const auto j = h.post(generate, R"({"contents":[{"parts":[{"text":"x"}]}],)"
                                  R"("generationConfig":{"candidateCount":3}})")
                     .parsed();
  ASSERT_EQ(j["candidates"].size(), 3);
  EXPECT_EQ(j["candidates"][2]["index"], 2);
}

TEST(vertex, has_its_own_paths_and_refuses_call_ids) {
  host h;
  const std::string base = "/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent";
  const auto parts =
      h.post(base, ask("call get_weather")).parsed()["candidates"][0]["content"]["parts"];
  EXPECT_FALSE(parts[0]["functionCall"].contains("id"));
  auto with_id = parts;
  with_id[0]["functionCall"]["id"] = "x";
  EXPECT_EQ(h.post(base, second_turn(parts, "get_weather").dump()).status, 200);
  EXPECT_EQ(h.post(base, second_turn(with_id, "get_weather").dump()).status, 400);
}

} // namespace
} // namespace sandbox::test
