#include "tests/protocol/chat_request_support.hpp"

#include <array>
#include <map>

// What a conversation becomes: messages, calls and results, signatures, media.

namespace troupe::openai {
namespace {

TEST(chat_request, neighbours_of_one_role_are_one_content) {
  EXPECT_EQ(contents(R"([{"role":"user","content":"a"},{"role":"system","content":"s"},
                         {"role":"user","content":[{"type":"text","text":"b"}]},
                         {"role":"assistant","content":null},{"role":"user","content":"c"}])"),
            R"([{"role":"user","parts":[{"text":"a"},{"text":"b"},{"text":"c"}]}])");
}

TEST(chat_request, system_texts_alone_become_what_the_user_says) {
  EXPECT_EQ(body_of(translate(request(R"([{"role":"system","content":"a"},
                        {"role":"developer","content":[{"type":"text","text":"b"}]}])"))),
            R"({"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]}]})");
}

TEST(chat_request, a_conversation_without_any_content_is_refused) {
  EXPECT_EQ(param_of(request(R"([{"role":"user","content":""}])")), "messages");
  EXPECT_EQ(param_of(request(R"([{"role":"system","content":[]},{"role":"assistant"}])")),
            "messages");
}

TEST(chat_request, gemma_gets_system_texts_before_the_first_user_text) {
  EXPECT_EQ(contents(R"([{"role":"assistant","content":"a"},{"role":"user","content":"b"},
                         {"role":"system","content":"s"},{"role":"user","content":"c"}])",
                     "gemma-3-27b-it"),
            R"([{"role":"model","parts":[{"text":"a"}]},)"
            R"({"role":"user","parts":[{"text":"s"},{"text":"b"},{"text":"c"}]}])");
  EXPECT_EQ(contents(R"([{"role":"system","content":"s"},{"role":"assistant","content":"a"}])",
                     "gemma-3-27b-it"),
            R"([{"role":"model","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"s"}]}])");
}

TEST(chat_request, of_members_with_one_name_the_last_wins) {
  EXPECT_EQ(body_of(translate(R"({"model":"x","messages":[],"model":"gemini-2.5-flash",
                "messages":[{"role":"assistant","content":"no","role":"user","content":"Hi"}]})")),
            std::string(hi_contents) + "}");
}

TEST(chat_request, text_passes_unchanged) {
  const std::string text = R"(é 😀 \" \\ \n \u2028 \u0001 </script>)";
  const auto body = body_of(translate(request(R"([{"role":"user","content":")" + text + R"("}])")));
  EXPECT_EQ(body, R"({"contents":[{"role":"user","parts":[{"text":")" + text + R"("}]}]})");
}

constexpr std::string_view call_a =
    R"({"id":"a","type":"function","function":{"name":"f","arguments":"{ \"x\" : 1.0 }"}})";

std::string call(std::string_view id, std::string_view name = "f") {
  return R"({"id":")" + std::string(id) + R"(","type":"function","function":{"name":")"
         + std::string(name) + R"(","arguments":"{}"}})";
}

std::string result(std::string_view id, std::string_view text) {
  return R"({"role":"tool","tool_call_id":")" + std::string(id) + R"(","content":")"
         + std::string(text) + R"("})";
}

TEST(chat_request, arguments_keep_every_digit_and_lose_their_space) {
  EXPECT_EQ(contents(R"([{"role":"user","content":"q"},{"role":"assistant","tool_calls":[)"
                     + std::string(call_a) + "]}]"),
            R"([{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[)"
            R"({"functionCall":{"id":"a","name":"f","args":{"x":1.0}}}]}])");
  const auto body = body_of(translate(request(
      R"([{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f",
          "arguments":"{\"n\":12345678901234567890123,\"e\":1e5}"}}]}])")));
  EXPECT_NE(body.find(R"("args":{"n":12345678901234567890123,"e":1e5})"), body.npos) << body;
}

TEST(chat_request, results_come_in_the_order_of_their_calls_across_dropped_messages) {
  const auto messages = R"([{"role":"assistant","content":"x","tool_calls":[)" + call("a") + ","
                        + call("b", "g") + "," + call("c") + "]}," + result("c", "3") + ","
                        + R"({"role":"user","content":""},{"role":"system","content":"s"},)"
                        + result("a", "1") + "," + result("b", "2") + "]";
  EXPECT_EQ(ordered_json::parse(contents(messages))[1].dump(),
            R"({"role":"user","parts":[)"
            R"({"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}},)"
            R"({"functionResponse":{"id":"b","name":"g","response":{"output":"2"}}},)"
            R"({"functionResponse":{"id":"c","name":"f","response":{"output":"3"}}}]})");
}

TEST(chat_request, results_are_never_mixed_with_what_a_user_says) {
  const auto out = ordered_json::parse(
      contents(R"([{"role":"assistant","tool_calls":[)" + call("a") + R"(]},)" + result("a", "1")
               + R"(,{"role":"user","content":"and?"},{"role":"assistant","tool_calls":[)"
               + call("b") + "]}," + result("b", "2") + "]"));
  ASSERT_EQ(out.size(), 5U);
  EXPECT_TRUE(out[1]["parts"][0].contains("functionResponse"));
  EXPECT_EQ(out[2].dump(), R"({"role":"user","parts":[{"text":"and?"}]})");
  EXPECT_TRUE(out[4]["parts"][0].contains("functionResponse"));
}

TEST(chat_request, an_id_used_again_means_the_newest_call_with_it) {
  const auto out = ordered_json::parse(
      contents(R"([{"role":"assistant","tool_calls":[)" + call("a", "old") + "]},"
               + result("a", "1") + R"(,{"role":"assistant","tool_calls":[)" + call("a", "new")
               + "]}," + result("a", "2") + "]"));
  EXPECT_EQ(out[1]["parts"][0]["functionResponse"]["name"], "old");
  EXPECT_EQ(out[3]["parts"][0]["functionResponse"]["name"], "new");
}

TEST(chat_request, equal_ids_in_one_message_are_answered_in_order) {
  const auto out = ordered_json::parse(contents(R"([{"role":"assistant","tool_calls":[)"
                                                + call("", "f") + "," + call("", "g") + "]},"
                                                + result("", "1") + "," + result("", "2") + "]"));
  EXPECT_EQ(out[1].dump(), R"({"role":"user","parts":[)"
                           R"({"functionResponse":{"name":"f","response":{"output":"1"}}},)"
                           R"({"functionResponse":{"name":"g","response":{"output":"2"}}}]})");
}

TEST(chat_request, a_result_may_name_its_function_itself) {
  EXPECT_EQ(contents(R"([{"role":"tool","tool_call_id":"z","name":"f","content":"1"}])"),
            R"([{"role":"user","parts":[{"functionResponse":{"id":"z","name":"f",)"
            R"("response":{"output":"1"}}}]}])");
  EXPECT_EQ(param_of(request("[" + result("z", "1") + "]")), "messages[0].tool_call_id");
}

TEST(chat_request, a_result_that_is_an_object_is_used_as_it_is) {
  const auto out = ordered_json::parse(contents(
      R"([{"role":"assistant","tool_calls":[)" + call("a") + "," + call("b") + "," + call("c")
      + "]}," + result("a", R"( {\"k\": [1, 2]} )") + "," + result("b", R"({\"k\":)")
      + R"(,{"role":"tool","tool_call_id":"c","content":null}])"));
  const auto& parts = out[1]["parts"];
  EXPECT_EQ(parts[0]["functionResponse"]["response"].dump(), R"({"k":[1,2]})");
  EXPECT_EQ(parts[1]["functionResponse"]["response"].dump(), R"({"output":"{\"k\":"})");
  EXPECT_EQ(parts[2]["functionResponse"]["response"].dump(), R"({"output":""})");
}

TEST(chat_request, the_legacy_function_role_has_no_ids) {
  EXPECT_EQ(contents(R"([{"role":"assistant","content":null,"function_call":{"name":"f",
                         "arguments":"{}"}},{"role":"function","name":"f","content":"1"}])"),
            R"([{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},)"
            R"({"role":"user","parts":[{"functionResponse":{"name":"f",)"
            R"("response":{"output":"1"}}}]}])");
  EXPECT_EQ(param_of(request(R"([{"role":"function","content":"1"}])")), "messages[0].name");
}

TEST(chat_request, thousands_of_calls_cost_no_more_than_their_number) {
  constexpr int count = 20'000;
  std::string calls;
  std::string results;
  for (int i = 0; i < count; ++i) {
    calls += std::string(i == 0 ? "" : ",") + call("id" + std::to_string(i));
    results += "," + result("id" + std::to_string(count - 1 - i), "r");
  }
  // Reversed results, as far from the order of the calls as can be.
  const auto out = ordered_json::parse(
      contents(R"([{"role":"assistant","tool_calls":[)" + calls + "]}" + results + "]"));
  ASSERT_EQ(out[1]["parts"].size(), 20'000U);
  EXPECT_EQ(out[1]["parts"][17]["functionResponse"]["id"], "id17");
}

std::string signature_of(std::string_view calls, std::string_view model, std::size_t part = 0) {
  const auto out = ordered_json::parse(
      contents(R"([{"role":"assistant","tool_calls":[)" + std::string(calls) + "]}]", model));
  const auto& written = out[0]["parts"][part];
  return written.contains("thoughtSignature") ? written["thoughtSignature"].get<std::string>()
                                              : "none";
}

TEST(chat_request, signatures_are_taken_from_the_first_place_that_has_one) {
  const auto signed_call = [](std::string_view extra, std::string_view function,
                              std::string_view tail) {
    return R"({"id":"a)" + std::string(tail) + R"(","function":{"name":"f")" + std::string(function)
           + "}" + std::string(extra) + "}";
  };
  constexpr auto* extra = R"(,"extra_content":{"google":{"thought_signature":"RVhU"}})";
  constexpr auto* function = R"(,"thought_signature":"RlVO")";
  constexpr auto* tail = "__thought__VEFJ";
  EXPECT_EQ(signature_of(signed_call(extra, function, tail), "gemini-3-pro-preview"), "RVhU");
  EXPECT_EQ(signature_of(signed_call("", function, tail), "gemini-3-pro-preview"), "RlVO");
  EXPECT_EQ(signature_of(signed_call("", "", tail), "gemini-3-pro-preview"), "VEFJ");
  EXPECT_EQ(signature_of(signed_call("", "", tail), "gemini-2.5-pro"), "VEFJ")
      << "whatever the generation";
}

TEST(chat_request, a_tail_is_padded_and_one_that_was_cut_is_ignored) {
  EXPECT_EQ(signature_of(call("a__thought__-_8"), "gemini-2.5-pro"), "+/8=");
  EXPECT_EQ(signature_of(call("a__thought__-_"), "gemini-2.5-pro"), "+/==");
  EXPECT_EQ(signature_of(call("a__thought__abcde"), "gemini-2.5-pro"), "none");
  EXPECT_EQ(signature_of(call("a__thought__ab.d"), "gemini-2.5-pro"), "none");
  EXPECT_EQ(signature_of(call("a__thought__"), "gemini-2.5-pro"), "none");
}

TEST(chat_request, only_unsigned_messages_of_newer_models_get_a_placeholder) {
  const auto two = call("a") + "," + call("b");
  constexpr auto* placeholder = "skip_thought_signature_validator";
  EXPECT_EQ(signature_of(two, "gemini-3-pro-preview", 0), placeholder);
  EXPECT_EQ(signature_of(two, "gemini-3-pro-preview", 1), "none");
  EXPECT_EQ(signature_of(two, "gemini-2.5-pro", 0), "none");
  const auto second_signed = call("a") + "," + call("b__thought__VEFJ");
  EXPECT_EQ(signature_of(second_signed, "gemini-3-pro-preview", 0), "none");
  EXPECT_EQ(signature_of(second_signed, "gemini-3-pro-preview", 1), "VEFJ");
}

TEST(chat_request, the_signature_of_a_message_goes_onto_its_last_text) {
  constexpr auto* extra = R"("extra_content":{"google":{"thought_signature":"U0lH"}}})";
  EXPECT_EQ(contents(R"([{"role":"assistant","content":"a",)" + std::string(extra) + "]"),
            R"([{"role":"model","parts":[{"text":"a","thoughtSignature":"U0lH"}]}])");
  EXPECT_EQ(contents(R"([{"role":"assistant","content":[{"type":"text","text":"a"},
                         {"type":"text","text":"b"},{"type":"text","text":""}],)"
                     + std::string(extra) + "]"),
            R"([{"role":"model","parts":[{"text":"a"},)"
            R"({"text":"b","thoughtSignature":"U0lH"}]}])");
}

std::string part(std::string_view json, std::string_view model = "gemini-2.5-flash",
                 const setting& in = {}) {
  const auto out =
      contents(R"([{"role":"user","content":[)" + std::string(json) + "]}]", model, in);
  return out.starts_with('[') ? ordered_json::parse(out)[0]["parts"].dump() : out;
}

std::string image(std::string_view url, std::string_view more = {}) {
  return R"({"type":"image_url","image_url":{"url":")" + std::string(url) + "\"" + std::string(more)
         + "}}";
}

TEST(chat_request, data_urls_lose_parameters_and_white_space) {
  EXPECT_EQ(part(image("data:image/png;name=a.png;base64,AB\\r\\nCD EF")),
            R"([{"inlineData":{"mimeType":"image/png","data":"ABCDEF"}}])");
  EXPECT_EQ(part(image("DATA:image/JPG;Base64,AB")),
            R"([{"inlineData":{"mimeType":"image/jpeg","data":"AB"}}])");
  EXPECT_EQ(part(image(R"(data:image/png;base64,\"}]<)")),
            R"([{"inlineData":{"mimeType":"image/png","data":"\"}]<"}}])")
      << "not our business, but still one JSON string";
}

TEST(chat_request, urls_that_nobody_can_read_are_refused) {
  for (const auto* url : {"data:image/png,AB", "data:;base64", "data:", "ftp://x/y",
                          "file:///etc/passwd", "x", "https://", "http:///x"})
    EXPECT_EQ(param_of(request(R"([{"role":"user","content":[)" + image(url) + "]}]")),
              "messages[0].content[0]")
        << url;
  EXPECT_EQ(param_of(request(R"([{"role":"user","content":[)" + image("") + "]}]")),
            "messages[0].content[0].image_url.url");
}

TEST(chat_request, remote_media_are_named_once_each_and_asked_for) {
  const auto body = request(R"([{"role":"user","content":[)" + image("https://a/1") + ","
                            + image("http://b/2") + "," + image("https://a/1")
                            + R"(,{"type":"video_url","video_url":{"url":"https://c/3"}}]}])");
  const auto translated = translate(body);
  ASSERT_TRUE(std::holds_alternative<needs_media>(translated));
  EXPECT_EQ(std::get<needs_media>(translated).urls,
            (std::vector<std::string>{"https://a/1", "http://b/2", "https://c/3"}));

  const std::map<std::string, fetched_media, std::less<>> fetched{
      {"https://a/1", {"image/png", "QQ=="}},
      {"http://b/2", {"image/gif", "Qg=="}},
      {"https://c/3", {"video/mp4", "Qw=="}}};
  setting in;
  in.context.fetched = &fetched;
  EXPECT_EQ(body_of(translate(body, in)),
            R"({"contents":[{"role":"user","parts":[)"
            R"({"inlineData":{"mimeType":"image/png","data":"QQ=="}},)"
            R"({"inlineData":{"mimeType":"image/gif","data":"Qg=="}},)"
            R"({"inlineData":{"mimeType":"image/png","data":"QQ=="}},)"
            R"({"inlineData":{"mimeType":"video/mp4","data":"Qw=="}}]}]})");
}

TEST(chat_request, a_bad_request_is_refused_before_anything_is_fetched) {
  EXPECT_EQ(param_of(request(R"([{"role":"user","content":[)" + image("https://a/1") + "]}]",
                             R"(,"n":0)")),
            "n");
}

TEST(chat_request, the_number_of_downloads_is_bounded) {
  const auto with = [](int count) {
    std::string parts = image("https://a/0");
    for (int i = 1; i < count; ++i)
      parts += "," + image("https://a/" + std::to_string(i));
    return request(R"([{"role":"user","content":[)" + parts + "]}]");
  };
  EXPECT_TRUE(std::holds_alternative<needs_media>(translate(with(256))));
  EXPECT_EQ(param_of(with(257)), "messages[0].content[256]");
}

TEST(chat_request, what_google_stores_is_never_downloaded) {
  for (const auto* url : {"https://www.youtube.com/watch?v=x", "http://youtube.com/watch?v=x",
                          "https://m.youtube.com/watch?v=x", "https://youtu.be/x",
                          "https://generativelanguage.googleapis.com/v1beta/files/x"})
    EXPECT_EQ(part(image(url)), R"([{"fileData":{"fileUri":")" + std::string(url) + R"("}}])");
  for (const auto* url : {"https://youtube.com.evil/watch?v=x", "https://youtube.com/embed/x",
                          "https://evil/youtu.be/x", "https://x@youtu.be/x",
                          "https://generativelanguage.googleapis.com/v1beta/models"})
    EXPECT_EQ(part(image(url)), "needs media") << url;
}

TEST(chat_request, vertex_is_told_the_type_of_every_file) {
  setting in;
  in.context.upstream = upstream_kind::vertex;
  EXPECT_EQ(part(image("https://youtu.be/x"), "gemini-2.5-flash", in),
            R"([{"fileData":{"fileUri":"https://youtu.be/x","mimeType":"video/mp4"}}])");
}

TEST(chat_request, remote_media_by_uri_need_a_known_extension) {
  setting in;
  in.options.media = remote_media::file_uri;
  EXPECT_EQ(
      part(image("https://a/b.PDF?x=.png#y"), "gemini-2.5-flash", in),
      R"([{"fileData":{"fileUri":"https://a/b.PDF?x=.png#y","mimeType":"application/pdf"}}])");
  EXPECT_EQ(
      param_of(request(R"([{"role":"user","content":[)" + image("https://a.png/b") + "]}]"), in),
      "messages[0].content[0]");
}

TEST(chat_request, image_detail_counts_from_generation_3_on) {
  const auto low = image("data:image/png;base64,AB", R"(,"detail":"low")");
  EXPECT_EQ(part(low, "gemini-3-pro-preview"),
            R"([{"inlineData":{"mimeType":"image/png","data":"AB"},)"
            R"("mediaResolution":{"level":"MEDIA_RESOLUTION_LOW"}}])");
  EXPECT_EQ(part(low), R"([{"inlineData":{"mimeType":"image/png","data":"AB"}}])");
  EXPECT_EQ(part(image("data:image/png;base64,AB", R"(,"detail":"auto")"), "gemini-3-pro-preview"),
            R"([{"inlineData":{"mimeType":"image/png","data":"AB"}}])");
}

TEST(chat_request, audio_and_video_formats_have_types) {
  const std::array<std::array<std::string_view, 3>, 12> formats{{
      {"audio", "wav", "audio/wav"},
      {"audio", "mp3", "audio/mpeg"},
      {"audio", "flac", "audio/flac"},
      {"audio", "ogg", "audio/ogg"},
      {"audio", "aac", "audio/aac"},
      {"audio", "aiff", "audio/aiff"},
      {"audio", "m4a", "audio/m4a"},
      {"audio", "webm", "audio/webm"},
      {"video", "mp4", "video/mp4"},
      {"video", "mov", "video/quicktime"},
      {"video", "avi", "video/x-msvideo"},
      {"video", "webm", "video/webm"},
  }};
  for (const auto& [kind, format, mime] : formats) {
    const auto type = "input_" + std::string(kind);
    EXPECT_EQ(part(R"({"type":")" + type + R"(",")" + type + R"(":{"data":"QQ==","format":")"
                   + std::string(format) + R"("}})"),
              R"([{"inlineData":{"mimeType":")" + std::string(mime) + R"(","data":"QQ=="}}])");
  }
  EXPECT_EQ(param_of(request(R"([{"role":"user","content":[{"type":"input_audio",
                                "input_audio":{"data":"QQ==","format":"mp4"}}]}])")),
            "messages[0].content[0]");
}

TEST(chat_request, files_come_inline_or_by_id) {
  EXPECT_EQ(part(R"({"type":"file","file":{"file_id":"files/x","filename":"a"}})"),
            R"([{"fileData":{"fileUri":)"
            R"("https://generativelanguage.googleapis.com/v1beta/files/x"}}])");
  for (const auto* file : {"{}", R"({"file_id":"file-abc"})", R"({"file_id":"files/"})",
                           R"({"file_data":"QQ=="})", R"({"file_id":"https://evil/files/x"})"})
    EXPECT_EQ(param_of(request(R"([{"role":"user","content":[{"type":"file","file":)"
                               + std::string(file) + "}]}]")),
              "messages[0].content[0]")
        << file;
}

TEST(chat_request, an_image_models_pictures_in_the_history_become_parts_again) {
  constexpr auto* messages =
      R"([{"role":"assistant","content":"A\n\n![image](data:image/png;base64,QQ==)\n\nB"}])";
  EXPECT_EQ(contents(messages, "gemini-2.5-flash-image"),
            R"([{"role":"model","parts":[{"text":"A"},)"
            R"({"inlineData":{"mimeType":"image/png","data":"QQ=="}},{"text":"B"}]}])");
  EXPECT_EQ(contents(messages), R"([{"role":"model","parts":)"
                                R"([{"text":"A\n\n![image](data:image/png;base64,QQ==)\n\nB"}]}])");
  EXPECT_EQ(contents(R"([{"role":"assistant","content":"![image](data:x) ![image](data:"}])",
                     "gemini-2.5-flash-image"),
            R"([{"role":"model","parts":[{"text":"![image](data:x) ![image](data:"}]}])");
}

} // namespace
} // namespace troupe::openai
