#include "protocol/openai/chat.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <regex>
#include <set>

// The translation vectors of chat requests, each a test of its own.

namespace troupe::openai {
namespace {

using nlohmann::ordered_json;

struct vector_case {
  std::string name;
  ordered_json vector;
};

std::vector<vector_case> load_vectors() {
  std::vector<vector_case> cases;
  for (const auto* file : {"openai-request.json", "schema.json"}) {
    std::ifstream in(std::string(TROUPE_SOURCE_DIR "/tests/vectors/") + file);
    for (auto& vector : ordered_json::parse(in))
      cases.push_back({vector["name"], std::move(vector)});
  }
  return cases;
}

std::string first_difference(const ordered_json& expected, const ordered_json& actual,
                             const std::string& path) {
  const auto differs = [&] {
    return path + ": expected " + expected.dump() + ", got " + actual.dump();
  };
  if (expected.is_string()) {
    const auto text = expected.get<std::string>();
    if (text == "<any>")
      return actual.is_null() ? differs() : "";
    if (text == "<str>")
      return actual.is_string() && !actual.get<std::string>().empty() ? "" : differs();
  }
  if (expected.is_object()) {
    if (!actual.is_object() || actual.size() != expected.size())
      return differs();
    for (const auto& [key, value] : expected.items()) {
      if (!actual.contains(key))
        return path + "." + key + " is missing in " + actual.dump();
      if (auto found = first_difference(value, actual[key], path + "." + key); !found.empty())
        return found;
    }
    return "";
  }
  if (expected.is_array()) {
    if (!actual.is_array() || actual.size() != expected.size())
      return differs();
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (auto found =
              first_difference(expected[i], actual[i], path + "[" + std::to_string(i) + "]");
          !found.empty())
        return found;
    return "";
  }
  return expected == actual ? "" : differs();
}

struct inputs {
  translation_options options;
  known_models models;
  std::map<std::string, fetched_media, std::less<>> fetched;
  request_context context;
};

void read_context(const ordered_json& context, inputs& in) {
  if (context.contains("known_models")) {
    for (const auto& name : context["known_models"])
      in.models.insert(name.get<std::string>());
    in.context.models = &in.models;
  }
  if (context.contains("fetched")) {
    for (const auto& [url, media] : context["fetched"].items())
      in.fetched[url] = {media["mime"], media["base64"]};
    in.context.fetched = &in.fetched;
  }
  const auto config = context.value("config", ordered_json::object());
  for (const auto& [name, value] : config.items()) {
    if (name == "remote_media")
      in.options.media = value == "file_uri" ? remote_media::file_uri
                         : value == "reject" ? remote_media::reject
                                             : remote_media::fetch;
    else if (name == "upstream")
      in.context.upstream = value == "vertex" ? upstream_kind::vertex : upstream_kind::gemini;
    else if (name == "safety_settings")
      in.options.safety_settings = value.dump();
    else
      FAIL() << "unknown configuration " << name;
  }
}

/// Every object in `expected` has its keys in the order of `actual`.
bool same_order(const ordered_json& expected, const ordered_json& actual) {
  if (expected.is_object()) {
    auto at = actual.begin();
    for (const auto& [key, value] : expected.items()) {
      if (at.key() != key || !same_order(value, at.value()))
        return false;
      ++at;
    }
  } else if (expected.is_array()) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (!same_order(expected[i], actual[i]))
        return false;
  }
  return true;
}

class chat_request_vectors : public testing::TestWithParam<vector_case> {};

TEST_P(chat_request_vectors, translates_as_written) {
  const auto& vector = GetParam().vector;
  inputs in;
  read_context(vector["context"], in);
  const auto& input = vector["input"];
  const auto body =
      input.contains("raw_body") ? input["raw_body"].get<std::string>() : input["body"].dump();
  const auto outcome = translate_chat_request(body, in.options, in.context);
  const auto& expected = vector["expected"];

  if (expected.contains("error")) {
    ASSERT_TRUE(std::holds_alternative<client_error>(outcome));
    const auto& error = std::get<client_error>(outcome);
    const auto& wanted = expected["error"]["body"]["error"];
    EXPECT_FALSE(error.message.empty());
    EXPECT_EQ(error.param, wanted["param"].is_null()
                               ? std::nullopt
                               : std::optional<std::string>(wanted["param"].get<std::string>()));
    if (wanted["code"] == "invalid_json") {
      EXPECT_EQ(error.what, fault::invalid_json);
      return;
    }
    EXPECT_EQ(error.what, fault::invalid_request);
    EXPECT_EQ(error.code, wanted["code"].is_null()
                              ? std::nullopt
                              : std::optional<std::string>(wanted["code"].get<std::string>()));
    return;
  }
  if (const auto* error = std::get_if<client_error>(&outcome))
    FAIL() << error->message << " at " << error->param.value_or("-");
  ASSERT_TRUE(std::holds_alternative<chat_request>(outcome));
  const auto& request = std::get<chat_request>(outcome);
  EXPECT_EQ(request.path, expected["path"].get<std::string>());
  const auto actual = ordered_json::parse(request.body);
  EXPECT_EQ(first_difference(expected["body"], actual, "body"), "");
  if (vector["name"] == "tool-arguments-key-order-kept") {
    EXPECT_TRUE(same_order(expected["body"]["contents"][1]["parts"][0]["functionCall"]["args"],
                           actual["contents"][1]["parts"][0]["functionCall"]["args"]));
    EXPECT_TRUE(
        same_order(expected["body"]["contents"][2]["parts"][0]["functionResponse"]["response"],
                   actual["contents"][2]["parts"][0]["functionResponse"]["response"]));
    const auto properties = [](const ordered_json& from) {
      return from["tools"][0]["functionDeclarations"][0]["parameters"]["properties"];
    };
    EXPECT_TRUE(same_order(properties(expected["body"]), properties(actual)));
  }
}

INSTANTIATE_TEST_SUITE_P(vectors, chat_request_vectors, testing::ValuesIn(load_vectors()),
                         [](const testing::TestParamInfo<vector_case>& test) {
                           auto name = test.param.name;
                           for (auto& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c)))
                               c = '_';
                           return name;
                         });

TEST(chat_request_vectors_file, is_not_empty) {
  EXPECT_EQ(load_vectors().size(), 70U);
}

} // namespace
} // namespace troupe::openai
