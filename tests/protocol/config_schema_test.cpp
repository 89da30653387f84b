#include "protocol/config/document.hpp"
#include "protocol/config/load.hpp"
#include "protocol/config/options.hpp"
#include "protocol/config/schema.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

namespace troupe {
namespace {

using nlohmann::json;

std::string file(const std::string& name) {
  std::ifstream in{TROUPE_SOURCE_DIR "/configs/" + name};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool is_type(const json& value, std::string_view type) {
  return (type == "null" && value.is_null()) || (type == "boolean" && value.is_boolean())
         || (type == "integer" && value.is_number_integer())
         || (type == "string" && value.is_string()) || (type == "array" && value.is_array())
         || (type == "object" && value.is_object());
}

bool matches(const json& value, const json& pattern) {
  return std::regex_search(value.get<std::string>(),
                           std::regex{pattern.get<std::string>(), std::regex::ECMAScript});
}

bool valid(const json& schema, const json& value);

bool valid_object(const json& schema, const json& value) {
  for (const auto& name : schema.value("required", json::array()))
    if (!value.contains(name.get<std::string>()))
      return false;
  for (const auto& [name, member] : value.items()) {
    if (schema.contains("propertyNames") && !matches(name, schema["propertyNames"]["pattern"]))
      return false;
    if (schema.contains("properties") && schema["properties"].contains(name)) {
      if (!valid(schema["properties"][name], member))
        return false;
    } else if (const auto other = schema.value("additionalProperties", json(true));
               other == json(false) || (other.is_object() && !valid(other, member))) {
      return false;
    }
  }
  return true;
}

/// As much of JSON Schema 2020-12 as ours uses.
bool valid(const json& schema, const json& value) {
  if (schema.contains("type")) {
    const auto& type = schema["type"];
    const auto types = type.is_array() ? type : json::array({type});
    if (std::none_of(types.begin(), types.end(),
                     [&](const json& t) { return is_type(value, t.get<std::string>()); }))
      return false;
  }
  if (schema.contains("const") && schema["const"] != value)
    return false;
  if (schema.contains("enum")
      && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return false;
  if (schema.contains("anyOf")
      && std::none_of(schema["anyOf"].begin(), schema["anyOf"].end(),
                      [&](const json& one) { return valid(one, value); }))
    return false;
  if (value.is_string()) {
    const auto size = value.get_ref<const std::string&>().size();
    if (size < schema.value("minLength", 0U) || size > schema.value("maxLength", 1'000'000U)
        || (schema.contains("pattern") && !matches(value, schema["pattern"])))
      return false;
  }
  if (value.is_number())
    return value >= schema.value("minimum", json(value))
           && value <= schema.value("maximum", json(value));
  if (value.is_array())
    return value.size() <= schema.value("maxItems", 1'000'000U)
           && (!schema.contains("items")
               || std::all_of(value.begin(), value.end(),
                              [&](const json& item) { return valid(schema["items"], item); }));
  return !value.is_object() || valid_object(schema, value);
}

/// `value` where the path of an option says.
json at_path(std::string_view path, json value) {
  std::string rest{path};
  for (auto dot = rest.rfind('.'); dot != std::string::npos; dot = rest.rfind('.')) {
    json object{{rest.substr(dot + 1), std::move(value)}};
    rest.erase(dot);
    if (rest.ends_with("[]")) {
      rest.erase(rest.size() - 2);
      for (const auto& o : config::options()) // what such an object needs besides
        if (const auto leaf = o.path.substr(o.path.rfind('.') + 1);
            o.required && o.path == rest + "[]." + std::string{leaf} && !object.contains(leaf))
          object[std::string{leaf}] =
              o.type == config::option_type::texts ? json::array({"n"}) : json("n");
      object = json::array({object});
    }
    value = std::move(object);
  }
  return json{{rest, std::move(value)}};
}

bool loads(const json& value) {
  config_sources s;
  s.file = config_text{"f", value.dump()};
  const auto loaded = load_settings(s);
  return std::all_of(loaded.problems.begin(), loaded.problems.end(),
                     [](const config_problem& p) { return p.code == "relation"; });
}

TEST(config_schema, the_shipped_file_is_the_one_of_the_option_table) {
  const auto made = config::config_schema();
  if (std::getenv("TROUPE_RENEW_SCHEMA") != nullptr)
    std::ofstream{TROUPE_SOURCE_DIR "/configs/troupe.schema.json"} << made;
  EXPECT_EQ(file("troupe.schema.json"), made)
      << "renew it: TROUPE_RENEW_SCHEMA=1 protocol_test --gtest_filter='config_schema.*'";
}

TEST(config_schema, takes_the_explained_configuration) {
  const auto schema = json::parse(config::config_schema());
  EXPECT_TRUE(valid(schema, json::parse(file("troupe.json"), nullptr, true, true)));
  EXPECT_TRUE(valid(schema, json::parse(R"({"$schema":"troupe.schema.json"})")));
}

TEST(config_schema, knows_every_option_and_no_other_name) {
  const auto schema = json::parse(config::config_schema());
  for (const auto& o : config::options()) {
    EXPECT_TRUE(
        valid(schema, at_path(o.path, json::parse(o.fallback.empty() ? "null" : o.fallback)))
        || o.required)
        << o.path;
    EXPECT_FALSE(valid(schema, at_path(std::string{o.path} + "x", 1))) << o.path;
  }
}

TEST(config_schema, refuses_what_is_wrong_wherever_a_schema_can) {
  const auto schema = json::parse(config::config_schema());
  for (const auto* text : {R"({"listen":"here"})",
                           R"({"loops":-1})",
                           R"({"loops":257})",
                           R"({"loops":"4"})",
                           R"({"drain_timeout":"soon"})",
                           R"({"drain_timeout":30})",
                           R"({"drain_timeout":"3s4m"})",
                           R"({"pool":{"cooldown":0}})",
                           R"({"pool":[]})",
                           R"({"scheduler":"x"})",
                           R"({"server":{"body_bytes_max":"1TB"}})",
                           R"({"server":{"body_bytes_max":1}})",
                           R"({"cors":{"origins":["chat.example.org"]}})",
                           R"({"upstreams":[{}]})",
                           R"({"upstreams":[{"name":"a b"}]})",
                           R"({"upstreams":[{"name":"a","base_url":"ftp://x"}]})",
                           R"({"upstreams":[{"name":"a","headers":{"x y":"1"}}]})",
                           R"({"upstreams":[{"name":"a","headers":{"x":1}}]})",
                           R"({"credentials":{"clients":[{"name":"a","secret":"short"}]}})",
                           R"({"credentials":{"clients":[{"name":"a","sha256":"00"}]}})",
                           R"({"translation":{"signature_carriers":["x"]}})",
                           R"({"translation":{"safety_settings":[{"category":"A"}]}})",
                           R"({"upstreams":[{"name":"a","limits":{"rpx":1}}]})",
                           R"({"upstreams":[{"name":"a","limits":{"rpm":0}}]})",
                           R"({"upstreams":[{"name":"a","limits":{"rpm":1.5}}]})",
                           R"({"upstreams":[{"name":"a","limits":{"models":{"m":7}}}]})",
                           R"({"pool":{"strategy":"best"}})",
                           R"({"pool":{"quota_margin":"soon"}})",
                           R"({"pool":{"day_zone":"a b"}})",
                           R"({"pool":{"session_headers":["x y"]}})",
                           R"({"egress":{"proxies":["proxy.example:80"]}})",
                           R"({"egress":{"proxies":["http://proxy.example"]}})",
                           R"({"egress":{"groups":[{}]}})",
                           R"({"models":{"aliases":{"a":7}}})",
                           R"({"models":{"aliases":{"a b":"m"}}})",
                           R"({"models":{"fallbacks":{"a":"b"}}})",
                           R"({"models":{"routes":[{}]}})",
                           R"({"other":1})"}) {
    EXPECT_FALSE(valid(schema, json::parse(text))) << text;
    EXPECT_FALSE(loads(json::parse(text))) << text;
  }
}

TEST(config_schema, takes_whatever_loads) {
  const json pool = json::parse(R"j([null, true, 0, 1, 7, 300, 70000, 1.5, "", "0", "3s", "1h30m",
    "5m20ms", " 2m ", "1d", "64 KiB", "10MB", "4096", "127.0.0.1:1", ":80", "[::1]:0", "localhost:9",
    "https://a.example", "http://[::1]:8080/x/v1beta", "*", "info", "json", "vertex", "both", "x",
    "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef", "a long secret", "secret-text",
    "\u0000", "\u00e9", [], ["*"], ["https://a.example:80"], ["id"], ["a", "b"], [1], {}, {"x": "y"},
    {"X-Team": "a b"}, {"a": 1}, [{"name": "x"}], [{"name": ""}],
    [{"category": "A", "threshold": "B"}], [{"name": "g", "kind": "vertex", "verify": null}], {"rpm": 7, "tpd": null},
    {"models": {"m": {"rpd": 1000}}}, {"a": ["b"]}, ["http://h.example:1"],
    ["socks5h://u:p%40@[::1]:1080"], "Europe/Berlin", "openai", ["X-Session"]])j");
  const auto schema = json::parse(config::config_schema());
  int loaded = 0;
  for (const auto& o : config::options())
    for (const auto& value : pool) {
      const auto text = at_path(o.path, value);
      if (!loads(text))
        continue;
      ++loaded;
      EXPECT_TRUE(valid(schema, text)) << text.dump();
    }
  EXPECT_GT(loaded, 300);
}

} // namespace
} // namespace troupe
