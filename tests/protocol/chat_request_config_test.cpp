#include "tests/protocol/chat_request_support.hpp"

#include <utility>

// What stands beside the conversation: model, parameters, tools; and what is refused.

namespace troupe::openai {
namespace {

TEST(chat_request, path_and_facts_follow_model_and_stream) {
  const auto translated = translate(request(
      hi, R"(,"stream":true,"stream_options":{"include_usage":true})", "google/gemini-3-x"));
  const auto& made = std::get<chat_request>(translated);
  EXPECT_EQ(made.path, "/v1beta/models/gemini-3-x:streamGenerateContent?alt=sse");
  EXPECT_EQ(made.facts.model_asked, "google/gemini-3-x");
  EXPECT_EQ(made.facts.model, "gemini-3-x");
  EXPECT_TRUE(made.facts.stream);
  EXPECT_TRUE(made.facts.include_usage);
  const auto plain =
      translate(request(hi, R"(,"stream_options":{"include_usage":true})", "a/../b"));
  EXPECT_EQ(std::get<chat_request>(plain).path, "/v1beta/models/a%2F..%2Fb:generateContent");
  EXPECT_FALSE(std::get<chat_request>(plain).facts.include_usage);
}

TEST(chat_request, numbers_pass_as_they_are) {
  EXPECT_EQ(rest(R"("temperature":1,"top_p":0.95,"top_k":40)"),
            R"({"generationConfig":{"temperature":1,"topP":0.95,"topK":40}})");
  EXPECT_EQ(rest(R"("temperature":2.0,"top_p":-7)"),
            R"({"generationConfig":{"temperature":2.0,"topP":-7}})");
}

TEST(chat_request, a_seed_is_brought_into_range) {
  const auto seed = [](std::string_view value) { return rest("\"seed\":" + std::string(value)); };
  EXPECT_EQ(seed("-1"), R"({"generationConfig":{"seed":2147483647}})");
  EXPECT_EQ(seed("2147483648"), R"({"generationConfig":{"seed":0}})");
  EXPECT_EQ(seed("18446744073709551615"), R"({"generationConfig":{"seed":2147483647}})");
  EXPECT_EQ(seed("-9223372036854775808"), R"({"generationConfig":{"seed":0}})");
  EXPECT_EQ(param_of(request(hi, R"(,"seed":1.5)")), "seed");
}

TEST(chat_request, limits_of_tokens_and_choices) {
  EXPECT_EQ(rest(R"("max_tokens":7)"), R"({"generationConfig":{"maxOutputTokens":7}})");
  EXPECT_EQ(rest(R"("max_tokens":0,"max_completion_tokens":5)"),
            R"({"generationConfig":{"maxOutputTokens":5}})");
  EXPECT_EQ(rest(R"("n":1)"), "{}");
  EXPECT_EQ(rest(R"("n":8)"), R"({"generationConfig":{"candidateCount":8}})");
  EXPECT_EQ(rest(R"("stop":["",""],"modalities":[])"), "{}");
}

TEST(chat_request, log_probabilities_need_to_be_asked_for) {
  EXPECT_EQ(rest(R"("top_logprobs":3)"), "{}");
  EXPECT_EQ(rest(R"("logprobs":false,"top_logprobs":3)"), "{}");
  EXPECT_EQ(rest(R"("logprobs":true)"), R"({"generationConfig":{"responseLogprobs":true}})");
}

TEST(chat_request, penalties_reach_every_generation_but_2_5) {
  constexpr auto* penalty = R"("presence_penalty":0.5)";
  constexpr auto* sent = R"({"generationConfig":{"presencePenalty":0.5}})";
  EXPECT_EQ(rest(penalty), "{}");
  EXPECT_EQ(rest(penalty, "gemini-3-pro-preview"), sent);
  setting vertex;
  vertex.context.upstream = upstream_kind::vertex;
  EXPECT_EQ(rest(penalty, "gemini-2.5-flash", vertex), sent);
}

TEST(chat_request, json_mode_gives_way_to_functions_before_generation_3) {
  constexpr auto* both = R"("response_format":{"type":"json_object"},)"
                         R"("tools":[{"type":"function","function":{"name":"f"}}])";
  constexpr auto* tools = R"({"tools":[{"functionDeclarations":[{"name":"f"}]}])";
  EXPECT_EQ(rest(both), std::string(tools) + "}");
  EXPECT_EQ(rest(both, "gemini-3-pro-preview"),
            std::string(tools) + R"(,"generationConfig":{"responseMimeType":"application/json"}})");
}

TEST(chat_request, googles_object_goes_where_it_belongs) {
  EXPECT_EQ(rest(R"("google":{"thinking_config":{"thinking_level":"LOW"},"cached_content":"",
                    "response_modalities":["IMAGE"],"image_config":{"aspect_ratio":"1:1"},
                    "media_resolution":"MEDIA_RESOLUTION_LOW","labels":{"my_key":"v"},
                    "speech_config":{"voice_config":{"prebuilt_voice_config":{"voice_name":"Puck"}}},
                    "safety_settings":[{"category":"C","threshold":"T"}],"unknown":1},
                    "modalities":["audio"],"audio":{"voice":"alloy"},"reasoning_effort":"high")"),
            R"({"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"},)"
            R"("responseModalities":["IMAGE"],"speechConfig":{"voiceConfig":)"
            R"({"prebuiltVoiceConfig":{"voiceName":"Puck"}}},"imageConfig":{"aspectRatio":"1:1"},)"
            R"("mediaResolution":"MEDIA_RESOLUTION_LOW"},)"
            R"("safetySettings":[{"category":"C","threshold":"T"}],"labels":{"my_key":"v"}})");
  EXPECT_EQ(rest(R"("google":{"media_resolution":"A"},
                    "extra_body":{"google":{"media_resolution":"B","labels":{"l":"v"}}})"),
            R"({"generationConfig":{"mediaResolution":"A"},"labels":{"l":"v"}})");
  EXPECT_EQ(rest(R"("google":{"thinking_config":{},"image_config":{},"labels":{},
                    "safety_settings":[]})"),
            "{}");
}

TEST(chat_request, a_cache_takes_the_place_of_system_texts_and_tools) {
  EXPECT_EQ(body_of(translate(
                request(R"([{"role":"system","content":"s"},{"role":"user","content":"Hi"}])",
                        R"(,"google":{"cached_content":"cachedContents/1"},"tool_choice":"auto",
                   "tools":[{"type":"function","function":{"name":"f"}}],
                   "response_format":{"type":"json_object"})"))),
            std::string(hi_contents)
                + R"(,"cachedContent":"cachedContents/1",)"
                  R"("generationConfig":{"responseMimeType":"application/json"}})");
}

TEST(chat_request, safety_of_the_request_replaces_the_configured_one) {
  setting in;
  in.options.safety_settings = R"([{"category":"C"}])";
  EXPECT_EQ(rest(R"("n":1)", "gemini-2.5-flash", in), R"({"safetySettings":[{"category":"C"}]})");
  EXPECT_EQ(rest(R"("safety_settings":[{"category":"D"}])", "gemini-2.5-flash", in),
            R"({"safetySettings":[{"category":"D"}]})");
  EXPECT_EQ(rest(R"("safety_settings":[])", "gemini-2.5-flash", in), "{}");
}

TEST(chat_request, thoughts_are_shown_as_configured) {
  setting always;
  always.options.thoughts = thoughts_policy::always;
  EXPECT_EQ(rest(R"("n":1)", "gemini-2.5-pro", always),
            R"({"generationConfig":{"thinkingConfig":{"includeThoughts":true}}})");
  EXPECT_EQ(rest(R"("reasoning_effort":"high")", "gemini-2.5-flash-non-thinking", always),
            R"({"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}})")
      << "the suffix is the operator's word";
}

TEST(chat_request, voices_have_counterparts) {
  const auto voice = [](std::string_view name) {
    return rest(R"("modalities":["audio"],"audio":{"format":"wav","voice":")" + std::string(name)
                + R"("})");
  };
  const auto speech = [](std::string_view name) {
    return R"({"generationConfig":{"responseModalities":["AUDIO"],"speechConfig":{"voiceConfig":)"
           R"({"prebuiltVoiceConfig":{"voiceName":")"
           + std::string(name) + R"("}}}}})";
  };
  EXPECT_EQ(voice("ONYX"), speech("Orus"));
  EXPECT_EQ(voice("zubenelgenubi"), speech("Zubenelgenubi"));
  EXPECT_EQ(voice("nobody"), speech("Kore"));
}

TEST(chat_request, what_is_not_honoured_is_named) {
  const auto translated = translate(request(
      hi, R"(,"user":"u","logit_bias":{},"store":null,"frequency_penalty":1,"x_vendor":1)"));
  EXPECT_EQ(std::get<chat_request>(translated).ignored, "logit_bias,user,frequency_penalty");
}

TEST(chat_request, functions_and_who_may_be_called) {
  const std::string f = R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":)";
  const auto choice = [&](std::string_view value) {
    const auto out = rest(std::string(f) + std::string(value));
    return out.starts_with('{')
               ? ordered_json::parse(out)["toolConfig"]["functionCallingConfig"].dump()
               : out;
  };
  EXPECT_EQ(choice(R"("none")"), R"({"mode":"NONE"})");
  EXPECT_EQ(choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[
                       {"type":"function","function":{"name":"f"}}]}})"),
            R"({"mode":"ANY","allowedFunctionNames":["f"]})");
  EXPECT_EQ(choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[
                       {"type":"function","function":{"name":"f"}}]}})"),
            R"({"mode":"AUTO"})");
  EXPECT_EQ(choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[]}})"),
            R"({"mode":"ANY"})");
  EXPECT_EQ(rest(R"("functions":[{"name":"f"}],"function_call":{"name":"f"})"),
            R"({"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":)"
            R"({"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}})");
}

TEST(chat_request, upstream_tools_stand_alone_and_once) {
  EXPECT_EQ(rest(R"("tools":[{"type":"code_execution"},{"type":"url_context"},
                    {"type":"google_search"},{"type":"web_search"}],"web_search_options":{})"),
            R"({"tools":[{"codeExecution":{}},{"urlContext":{}},{"googleSearch":{}}]})");
  EXPECT_EQ(rest(R"("tools":[])", "gemini-2.5-flash-search"), R"({"tools":[{"googleSearch":{}}]})");
}

TEST(chat_request, names_that_the_upstream_would_refuse_get_a_prefix_everywhere) {
  const auto translated = translate(request(
      R"([{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"7zip"}}]},
          {"role":"tool","tool_call_id":"a","content":"1"}])",
      R"(,"tools":[{"type":"function","function":{"name":"7zip"}},
          {"type":"function","function":{"name":"_ok"}}])"));
  const auto& made = std::get<chat_request>(translated);
  const auto body = ordered_json::parse(made.body);
  EXPECT_EQ(body["contents"][0]["parts"][0]["functionCall"]["name"], "_7zip");
  EXPECT_EQ(body["contents"][1]["parts"][0]["functionResponse"]["name"], "_7zip");
  EXPECT_EQ(body["tools"][0]["functionDeclarations"][0]["name"], "_7zip");
  EXPECT_EQ(made.facts.prefixed_functions, (std::vector<std::string>{"7zip"}));
}

TEST(chat_request, many_functions_of_one_name_are_one) {
  std::string tools;
  for (int i = 0; i < 200; ++i)
    tools += std::string(i == 0 ? "" : ",") + R"({"type":"function","function":{"name":"f)"
             + std::to_string(i % 100) + R"("}})";
  const auto body = ordered_json::parse(rest("\"tools\":[" + tools + "]"));
  EXPECT_EQ(body["tools"][0]["functionDeclarations"].size(), 100U);
}

TEST(chat_request, wrong_types_are_refused_with_the_path_of_the_field) {
  const auto message = [](std::string_view json) { return request("[" + std::string(json) + "]"); };
  const auto with = [](std::string_view more) { return request(hi, "," + std::string(more)); };
  const std::vector<std::pair<std::string, std::string>> cases{
      {"[]", "-"},
      {"\"x\"", "-"},
      {R"({"model":7,"messages":[]})", "model"},
      {R"({"model":"","messages":[]})", "model"},
      {R"({"model":"models/","messages":[]})", "model"},
      {R"({"model":")" + std::string(300, 'x') + R"(","messages":[]})", "model"},
      {R"({"model":"m"})", "messages"},
      {R"({"model":"m","messages":{}})", "messages"},
      {message("7"), "messages[0]"},
      {message(R"({"content":"x"})"), "messages[0].role"},
      {message(R"({"role":7})"), "messages[0].role"},
      {message(R"({"role":"user","content":7})"), "messages[0].content"},
      {message(R"({"role":"user","content":{}})"), "messages[0].content"},
      {message(R"({"role":"user","content":["x"]})"), "messages[0].content[0]"},
      {message(R"({"role":"user","content":[{"text":"x"}]})"), "messages[0].content[0].type"},
      {message(R"({"role":"user","content":[{"type":"text","text":1}]})"),
       "messages[0].content[0].text"},
      {message(R"({"role":"user","content":[{"type":"image_url"}]})"),
       "messages[0].content[0].image_url"},
      {message(R"({"role":"user","content":[{"type":"image_url","image_url":"u"}]})"),
       "messages[0].content[0].image_url"},
      {message(R"({"role":"user","content":[{"type":"image_url","image_url":{"url":1}}]})"),
       "messages[0].content[0].image_url.url"},
      {message(R"({"role":"user","content":[{"type":"type"}]})"), "messages[0].content[0].type"},
      {message(R"({"role":"system","content":[{"type":"image_url"}]})"),
       "messages[0].content[0].type"},
      {message(R"({"role":"assistant","tool_calls":{}})"), "messages[0].tool_calls"},
      {message(R"({"role":"assistant","tool_calls":[1]})"), "messages[0].tool_calls[0]"},
      {message(R"({"role":"assistant","tool_calls":[{"id":1}]})"), "messages[0].tool_calls[0].id"},
      {message(R"({"role":"assistant","tool_calls":[{"id":"a"}]})"),
       "messages[0].tool_calls[0].function"},
      {message(R"({"role":"assistant","tool_calls":[{"type":"custom"}]})"),
       "messages[0].tool_calls[0].type"},
      {message(R"({"role":"assistant","tool_calls":[{"function":{}}]})"),
       "messages[0].tool_calls[0].function.name"},
      {message(R"({"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}}]})"),
       "messages[0].tool_calls[0].function.arguments"},
      {message(R"({"role":"assistant","function_call":{}})"), "messages[0].function_call.name"},
      {message(R"({"role":"assistant","content":"x","extra_content":1})"),
       "messages[0].extra_content"},
      {message(R"({"role":"tool","tool_call_id":1,"content":"x"})"), "messages[0].tool_call_id"},
      {message(R"({"role":"tool","name":"f","content":7})"), "messages[0].content"},
      {with(R"("stream":"yes")"), "stream"},
      {with(R"("stream_options":[])"), "stream_options"},
      {with(R"("stream_options":{"include_usage":1})"), "stream_options.include_usage"},
      {with(R"("temperature":"hot")"), "temperature"},
      {with(R"("presence_penalty":"x")"), "presence_penalty"},
      {with(R"("max_tokens":0)"), "max_tokens"},
      {with(R"("max_tokens":1.5)"), "max_tokens"},
      {with(R"("max_completion_tokens":"9")"), "max_completion_tokens"},
      {with(R"("n":"2")"), "n"},
      {with(R"("stop":7)"), "stop"},
      {with(R"("stop":[7])"), "stop"},
      {with(R"("logprobs":1)"), "logprobs"},
      {with(R"("top_logprobs":"1")"), "top_logprobs"},
      {with(R"("reasoning_effort":1)"), "reasoning_effort"},
      {with(R"("response_format":"json")"), "response_format"},
      {with(R"("response_format":{})"), "response_format.type"},
      {with(R"("response_format":{"type":"json_schema"})"), "response_format.json_schema"},
      {with(R"("response_format":{"type":"json_schema","json_schema":{"schema":[]}})"),
       "response_format.json_schema.schema"},
      {with(R"("tools":{})"), "tools"},
      {with(R"("tools":[1])"), "tools[0]"},
      {with(R"("tools":[{"type":"custom"}])"), "tools[0].type"},
      {with(R"("tools":[{"type":"function"}])"), "tools[0].function"},
      {with(R"("tools":[{"type":"function","function":{}}])"), "tools[0].function.name"},
      {with(R"("tools":[{"type":"function","function":{"name":"f","description":1}}])"),
       "tools[0].function.description"},
      {with(R"("tools":[{"type":"function","function":{"name":"f","parameters":[]}}])"),
       "tools[0].function.parameters"},
      {with(R"("tool_choice":"any")"), "tool_choice"},
      {with(R"("tool_choice":[])"), "tool_choice"},
      {with(R"("tool_choice":{"type":"custom"})"), "tool_choice.type"},
      {with(R"("tool_choice":{"type":"function"})"), "tool_choice.function.name"},
      {with(R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"x"}})"),
       "tool_choice.allowed_tools.mode"},
      {with(
           R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{}]}})"),
       "tool_choice.allowed_tools.tools[0]"},
      {with(R"("functions":[{}])"), "functions[0].name"},
      {with(R"("web_search_options":true)"), "web_search_options"},
      {with(R"("modalities":"audio")"), "modalities"},
      {with(R"("audio":1)"), "audio"},
      {with(R"("audio":{"voice":1})"), "audio.voice"},
      {with(R"("safety_settings":{})"), "safety_settings"},
      {with(R"("google":1)"), "google"},
      {with(R"("google":{"labels":1})"), "google.labels"},
      {with(R"("extra_body":1)"), "extra_body"},
      {with(R"("extra_body":{"google":{"cached_content":1}})"), "extra_body.google.cached_content"},
  };
  for (const auto& [body, param] : cases)
    EXPECT_EQ(param_of(body), param) << body;
}

TEST(chat_request, a_schema_bomb_is_the_clients_fault) {
  std::string bomb = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 30; ++i) {
    const auto next = R"({"$ref":"#/$defs/d)" + std::to_string(i + 1) + R"("})";
    bomb +=
        "\"d" + std::to_string(i) + R"(":{"properties":{"a":)" + next + R"(,"b":)" + next + "}},";
  }
  bomb += R"("d30":{}}})";
  const auto body = request(hi,
                            R"(,"tools":[{"type":"function","function":{"name":"f",
                                   "parameters":)"
                                + bomb + "}}]",
                            "gemini-2.0-flash");
  EXPECT_EQ(param_of(body), "tools[0].function.parameters");
}

TEST(chat_request, every_cut_of_a_request_is_refused_and_none_is_fatal) {
  const auto whole = request(
      R"([{"role":"user","content":[{"type":"text","text":"é\n"}]},{"role":"assistant",
          "tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"a\":[1]}"}}]},
          {"role":"tool","tool_call_id":"a","content":"1"}])",
      R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",
          "properties":{"a":{"enum":[1,null]}}}}}],"temperature":0.5)");
  ASSERT_TRUE(std::holds_alternative<chat_request>(translate(whole)));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto translated = translate(std::string_view(whole).substr(0, length));
    ASSERT_TRUE(std::holds_alternative<client_error>(translated)) << length;
    EXPECT_EQ(std::get<client_error>(translated).what, fault::invalid_json) << length;
  }
}

TEST(chat_request, large_requests_leave_no_trace_in_small_ones) {
  const auto large =
      request(R"([{"role":"user","content":")" + std::string(3'000'000, 'x') + R"("}])");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(body_of(translate(large)).size(), 3'000'000 + hi_contents.size() - 1);
    EXPECT_EQ(body_of(translate(request(hi))), std::string(hi_contents) + "}");
  }
}

} // namespace
} // namespace troupe::openai
