#include "protocol/gemini/native.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace troupe::gemini {
namespace {

using json = nlohmann::ordered_json;

std::variant<native_call, client_error> route(std::string_view http_method, std::string_view path,
                                              std::string_view query = "",
                                              std::string_view body = "{}",
                                              const request_context& context = {}) {
  return route_native(http_method, path, query, body, {}, context);
}

native_call call(std::string_view path, std::string_view query = "", std::string_view body = "{}",
                 std::string_view http_method = "POST") {
  const auto got = route(http_method, path, query, body);
  const auto* c = std::get_if<native_call>(&got);
  native_call none;
  none.path = "an error";
  return c ? *c : none;
}

std::optional<fault> refusal(std::string_view path, std::string_view http_method = "POST",
                             std::string_view body = "{}") {
  const auto got = route(http_method, path, "", body);
  const auto* e = std::get_if<client_error>(&got);
  return e ? std::optional{e->what} : std::nullopt;
}

TEST(route_native, knows_every_method_under_both_prefixes) {
  for (const std::string prefix : {"", "/gemini"}) {
    const auto base = prefix + "/v1beta/models";
    EXPECT_EQ(call(base, "", "", "GET").what, method::list_models);
    EXPECT_EQ(call(base, "pageSize=5&pageToken=a%2Bb", "", "GET").path,
              "/v1beta/models?pageSize=5&pageToken=a%2Bb");
    EXPECT_EQ(call(base + "/gemini-2.5-pro", "", "", "GET").what, method::get_model);
    EXPECT_EQ(call(base + "/gemini-2.5-pro:generateContent").what, method::generate_content);
    EXPECT_EQ(call(base + "/gemini-2.5-pro:countTokens").path,
              "/v1beta/models/gemini-2.5-pro:countTokens");
    const auto stream = call(base + "/gemini-2.5-pro:streamGenerateContent", "alt=sse");
    EXPECT_EQ(stream.what, method::stream_generate_content);
    EXPECT_TRUE(stream.sse);
  }
}

TEST(route_native, takes_the_credential_out_of_the_query_however_it_is_written) {
  const std::string path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent";
  EXPECT_EQ(call(path, "key=SECRET").path, path);
  EXPECT_EQ(call(path, "alt=sse&key=SECRET&x=1").path, path + "?alt=sse&x=1");
  EXPECT_EQ(call(path, "k%65y=SECRET&%6Bey=SECRET&key").path, path);
  EXPECT_EQ(call(path, "?key=SECRET&&monkey=1").path, path + "?monkey=1");
}

TEST(route_native, an_answer_is_sse_only_where_alt_says_so) {
  const std::string path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent";
  EXPECT_FALSE(call(path).sse);
  EXPECT_FALSE(call(path, "alt=json").sse);
  EXPECT_EQ(call(path, "alt=json").path, path + "?alt=json");
  EXPECT_TRUE(call(path, "%61lt=ss%65").sse);
  EXPECT_TRUE(call(path, "$alt=sse").sse);
  EXPECT_FALSE(call("/v1beta/models/gemini-2.5-pro:generateContent", "alt=sse").sse);
}

TEST(route_native, rewrites_prefixes_and_keeps_what_was_asked) {
  for (const std::string asked :
       {"models/gemini-2.5-pro", "models%2Fgemini-2.5-pro", "google/gemini-2.5-pro",
        "gemini/gemini-2.5-pro", "gemini%2D2.5-pro"}) {
    const auto c = call("/v1beta/models/" + asked + ":generateContent");
    EXPECT_EQ(c.model, "gemini-2.5-pro") << asked;
    EXPECT_EQ(c.path, "/v1beta/models/gemini-2.5-pro:generateContent") << asked;
    EXPECT_FALSE(c.body_changed);
  }
  EXPECT_EQ(call("/v1beta/models/gemini-2.5-pro%3AgenerateContent").path,
            "/v1beta/models/gemini-2.5-pro:generateContent");
  for (const std::string asked : {"tunedModels/mine-1", "models/tunedModels/mine-1"})
    EXPECT_EQ(call("/v1beta/" + asked + ":generateContent").path,
              "/v1beta/tunedModels/mine-1:generateContent");
}

TEST(route_native, no_name_can_reach_another_path) {
  for (const std::string name : {"..",
                                 ".",
                                 "%2e%2e",
                                 "a/../b",
                                 "a%2Fb",
                                 "..%2Ffiles",
                                 "models/..",
                                 "models%2F..%2Ffiles",
                                 "a%5Cb",
                                 "a%00",
                                 "a%ff",
                                 "a\xC3\xA9",
                                 "a%0d%0a",
                                 "a%20b",
                                 "a%23b",
                                 "a%3Fb",
                                 "a%25%32%66b",
                                 "%",
                                 "%4",
                                 "%zz",
                                 "",
                                 "models/a/b",
                                 "google/../x"})
    EXPECT_EQ(refusal("/v1beta/models/" + name + ":generateContent"), fault::unknown_path) << name;
  for (const std::string path :
       {"/v1beta/tunedModels/..", "/v1beta/tunedModels/a/b", "/v1beta/../v1beta/models",
        "/v1beta/files/x", "/v1beta", "/v1beta/", "/gemini/v1/models", "/geminiv1beta/models", "",
        "/", "/v1beta/modelsx"})
    EXPECT_EQ(refusal(path, "GET"), fault::unknown_path) << path;
  EXPECT_EQ(refusal("/v1beta/models/" + std::string(300, 'a') + ":generateContent"),
            fault::unknown_path);
}

TEST(route_native, tells_an_unknown_path_from_a_wrong_method) {
  EXPECT_EQ(refusal("/v1beta/models/m:predict"), fault::unknown_path);
  EXPECT_EQ(refusal("/v1beta/models/m:"), fault::unknown_path);
  EXPECT_EQ(refusal("/v1beta/models/m:generateContent", "GET"), fault::wrong_method);
  EXPECT_EQ(refusal("/v1beta/models", "POST"), fault::wrong_method);
  EXPECT_EQ(refusal("/v1beta/models/m", "DELETE"), fault::wrong_method);
  EXPECT_EQ(refusal("/v1beta/models", "HEAD"), std::nullopt);
}

std::string merged(std::string_view model, std::string_view body,
                   std::string_view verb = "generateContent") {
  const auto c = call("/v1beta/models/" + std::string{model} + ":" + std::string{verb}, "", body);
  return c.path == "an error" ? c.path : c.body_changed ? c.body : std::string{body};
}

TEST(suffixes, leave_every_other_byte_of_the_body_alone) {
  EXPECT_EQ(merged("gemini-2.5-flash-search", " { \"z\" : 1.0 ,\n \"a\":\"\\u0041\" } "),
            " {\"tools\":[{\"googleSearch\":{}}], \"z\" : 1.0 ,\n \"a\":\"\\u0041\" } ");
  EXPECT_EQ(merged("gemini-2.5-flash-search", "{}"), R"({"tools":[{"googleSearch":{}}]})");
  EXPECT_EQ(merged("gemini-2.5-flash-search", R"({"tools":[ {"codeExecution":{}} ]})"),
            R"({"tools":[ {"codeExecution":{}} ,{"googleSearch":{}}]})");
  EXPECT_EQ(merged("gemini-2.5-flash-search", R"({"tools":[ ]})"),
            R"({"tools":[ {"googleSearch":{}}]})");
  EXPECT_EQ(merged("gemini-2.5-flash-search", R"({"tools":null})"),
            R"({"tools":[{"googleSearch":{}}]})");
}

TEST(suffixes, add_no_search_that_is_there_or_would_be_refused) {
  for (const std::string body :
       {R"({"tools":[{"google_search":{}}]})", R"({"tools":[{"functionDeclarations":[]}]})",
        R"({"cachedContent":"cachedContents/x"})", R"({"tools":7})"})
    EXPECT_EQ(merged("gemini-2.5-flash-search", body), body);
}

TEST(suffixes, set_thinking_and_modalities_in_either_spelling) {
  EXPECT_EQ(merged("gemini-2.5-flash-non-thinking", "{}"),
            R"({"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}})");
  EXPECT_EQ(merged("gemini-2.5-flash-non-thinking",
                   R"({"generation_config":{"thinking_config":{"includeThoughts":true},"x":1}})"),
            R"({"generation_config":{"thinking_config":{"thinkingBudget":0},"x":1}})");
  EXPECT_EQ(merged("gemini-2.5-flash-non-thinking", R"({"generationConfig":{"x":"}\"{"}})"),
            R"({"generationConfig":{"thinkingConfig":{"thinkingBudget":0},"x":"}\"{"}})");
  EXPECT_EQ(merged("gemini-2.0-pro-exp-image", R"({"generationConfig":null})"),
            R"({"generationConfig":{"responseModalities":["TEXT","IMAGE"]}})");
  EXPECT_EQ(merged("gemini-2.0-pro-exp-image",
                   R"({"generationConfig":{"responseModalities":["IMAGE"]}})"),
            R"({"generationConfig":{"responseModalities":["IMAGE"]}})");
  const auto both = json::parse(merged("gemini-3-pro-preview-search-non-thinking", "{}"));
  EXPECT_EQ(both["generationConfig"]["thinkingConfig"]["thinkingLevel"], "LOW");
  EXPECT_TRUE(both.contains("tools"));
}

TEST(suffixes, count_tokens_changes_nothing_but_the_model_named_within) {
  EXPECT_EQ(merged("gemini-2.5-flash-search", R"({"contents":[]})", "countTokens"),
            R"({"contents":[]})");
  EXPECT_EQ(merged("gemini-2.5-flash-search",
                   R"({"generateContentRequest":{"model":"models/gemini-2.5-flash-search","a":1}})",
                   "countTokens"),
            R"({"generateContentRequest":{"model":"models/gemini-2.5-flash","a":1}})");
}

TEST(suffixes, need_a_body_that_is_an_object) {
  for (const std::string body : {"", "[]", "7", "{", "{\"a\":1}x", "\xff"})
    EXPECT_EQ(refusal("/v1beta/models/gemini-2.5-flash-search:generateContent", "POST", body),
              fault::invalid_json)
        << body;
  // Without a suffix the upstream judges: the bytes are not even looked at.
  EXPECT_EQ(refusal("/v1beta/models/gemini-2.5-flash:generateContent", "POST", "{"), std::nullopt);
}

TEST(forwards_header, drops_credentials_and_what_belongs_to_one_connection) {
  for (const auto* dropped :
       {"Host", "content-length", "Connection", "Transfer-Encoding", "TE", "Upgrade", "Cookie",
        "Authorization", "X-Goog-Api-Key", "x-api-key", "Accept-Encoding", "Proxy-Authorization",
        "Expect", "Keep-Alive", "Trailer"})
    EXPECT_FALSE(forwards_header(dropped)) << dropped;
  for (const auto* kept : {"content-type", "x-goog-api-client", "user-agent", "x-server-timeout",
                           "accept", "hosts", ""})
    EXPECT_TRUE(forwards_header(kept)) << kept;
}

using names = std::vector<std::string>;

TEST(pinned_resources, finds_files_and_caches_at_any_depth_once) {
  EXPECT_EQ(
      pinned_resources(
          R"({"contents":[{"parts":[{"fileData":{"fileUri":"https:\/\/generativelanguage.googleapis.com\/v1beta\/files\/abc"}},
                    {"file_data":{"file_uri":"files/def"}},{"fileData":{"fileUri":"files/abc"}}]}],"cachedContent":"cachedContents/c1"})"),
      (names{"files/abc", "files/def", "cachedContents/c1"}));
}

TEST(pinned_resources, takes_nothing_that_only_looks_like_one) {
  for (const auto* body :
       {R"({"contents":[{"parts":[{"text":"\"fileUri\":\"files/abc\""}]}]})",
        R"({"fileUri":"https://example.com/files/abc"})", R"({"fileUri":"https://youtu.be/x"})",
        R"({"fileUri":"https://generativelanguage.googleapis.com/v1beta/models/files"})",
        R"({"fileUri":"/files/abc"})", R"({"fileUri":"files/"})",
        R"({"fileUri":5,"cachedContent":["cachedContents/x"]})",
        R"({"cachedContent":"x/cachedContents/y"})", R"({"fileUri":"files/abc")", ""})
    EXPECT_EQ(pinned_resources(body), names{}) << body;
}

TEST(pinned_resources, knows_files_by_any_version_of_the_api) {
  for (const std::string version : {"v1", "v1alpha", "v1beta", "v1beta2"})
    EXPECT_EQ(pinned_resources(R"({"fileUri":"https://h/)" + version + R"(/files/a?alt=media"})"),
              names{"files/a"})
        << version;
}

TEST(pinned_resources, finds_a_member_wherever_it_stands) {
  for (std::size_t before = 0; before < 70; ++before)
    for (std::size_t after = 0; after < 20; ++after) {
      const auto body = "{\"a\":\"" + std::string(before, '.')
                        + R"(","cachedContent":"cachedContents/c")" + std::string(after, ' ') + "}";
      ASSERT_EQ(pinned_resources(body), names{"cachedContents/c"}) << body;
    }
}

TEST(pinned_resources, no_escape_hides_a_member) {
  for (const auto* name : {"cached\\u0043ontent", "\\u0063achedContent", "cached\\u005fcontent",
                           "cachedConten\\u0074"})
    EXPECT_EQ(pinned_resources(std::string{"{\""} + name + R"(":"cachedContents/a"})"),
              names{"cachedContents/a"})
        << name;
}

TEST(scan_answer, tells_what_an_event_holds) {
  const auto scan = scan_answer(
      R"({"candidates":[{"content":{"parts":[{"text":"\"error\":{ } \\"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"cachedContentTokenCount":1}})");
  EXPECT_TRUE(scan.well_formed);
  EXPECT_TRUE(scan.has_candidates);
  EXPECT_TRUE(scan.finished);
  EXPECT_FALSE(scan.is_error);
  EXPECT_FALSE(scan.blocked);
  EXPECT_EQ(scan.usage.prompt, 3U);
  EXPECT_EQ(scan.usage.output, 2U);
  EXPECT_EQ(scan.usage.cached, 1U);
  EXPECT_TRUE(scan.usage.reported);
  EXPECT_TRUE(scan_answer(R"({"promptFeedback":{"blockReason":"SAFETY"}})").blocked);
  EXPECT_FALSE(scan_answer(R"({"candidates":[{"finishReason":null}]})").finished);
  const auto error = scan_answer(R"({"error":{"code":"503"}})");
  EXPECT_TRUE(error.is_error);
  EXPECT_EQ(error.error_status, 503);
  EXPECT_TRUE(scan_answer(R"({"models":[]})").well_formed);
}

TEST(scan_answer, a_cut_anywhere_is_noticed) {
  const std::string whole =
      R"({"candidates":[{"content":{"parts":[{"text":"a\"}]}"}]},"finishReason":"STOP"}]})";
  for (std::size_t cut = 0; cut < whole.size(); ++cut)
    EXPECT_FALSE(scan_answer(whole.substr(0, cut)).well_formed) << cut;
  EXPECT_FALSE(scan_answer(whole + "}").well_formed);
  EXPECT_FALSE(scan_answer(std::string(100'000, '[')).well_formed);
}

/// The elements of `pieces`, fed one after the other; nothing if one was refused.
std::optional<names> split(const names& pieces, bool& complete, std::size_t bound = 1000) {
  array_splitter splitter{bound};
  names got;
  for (const auto& piece : pieces) {
    std::vector<std::string_view> elements;
    const bool good = splitter.feed(std::string{piece}, elements);
    got.insert(got.end(), elements.begin(), elements.end());
    if (!good)
      return std::nullopt;
  }
  complete = splitter.complete();
  return got;
}

TEST(array_splitter, finds_the_elements_wherever_the_bytes_are_cut) {
  const std::string whole = "[{\"a\":\"]},\\\"{\"}\n,\r\n {\"b\":[{}]},{}\n]\n";
  const names expected{"{\"a\":\"]},\\\"{\"}", "{\"b\":[{}]}", "{}"};
  for (std::size_t a = 0; a <= whole.size(); ++a)
    for (std::size_t b = a; b <= whole.size(); ++b) {
      bool complete = false;
      ASSERT_EQ(split({whole.substr(0, a), whole.substr(a, b - a), whole.substr(b)}, complete),
                expected)
          << a << ' ' << b;
      EXPECT_TRUE(complete);
    }
}

TEST(array_splitter, is_complete_only_after_the_closing_bracket) {
  bool complete = true;
  EXPECT_EQ(split({"[{\"a\":1}"}, complete), (names{"{\"a\":1}"}));
  EXPECT_FALSE(complete);
  EXPECT_EQ(split({"[{\"a\":1},"}, complete), (names{"{\"a\":1}"}));
  EXPECT_FALSE(complete);
  EXPECT_EQ(split({"[]"}, complete), names{});
  EXPECT_TRUE(complete);
}

TEST(array_splitter, refuses_what_is_no_array_of_objects) {
  bool complete = false;
  for (const auto* bad : {"{", "x", "[1", "[,", "[{} {", "[{},]", "[{}}", "[]x", "[][", "[[", "\""})
    EXPECT_EQ(split({bad}, complete), std::nullopt) << bad;
}

TEST(array_splitter, refuses_an_element_over_its_bound_for_good) {
  array_splitter splitter{10};
  std::vector<std::string_view> elements;
  EXPECT_TRUE(splitter.feed("[{\"a\":1234}", elements));
  EXPECT_EQ(elements.size(), 1U);
  elements.clear();
  EXPECT_TRUE(splitter.feed(",{\"a\":12", elements));
  EXPECT_FALSE(splitter.feed("3456", elements));
  EXPECT_FALSE(splitter.feed("}]", elements));
  EXPECT_FALSE(splitter.complete());
  EXPECT_TRUE(elements.empty());
}

} // namespace
} // namespace troupe::gemini
