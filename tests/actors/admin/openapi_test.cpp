#include "actors/admin/openapi.hpp"

#include "actors/admin/admin_reply.hpp"
#include "actors/admin/routes.hpp"
#include "tests/actors/admin/schema_check.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace troupe {
namespace {

using nlohmann::json;

/// `GET /healthz`, ...
std::set<std::string> offered() {
  std::set<std::string> all;
  for (const auto& row : admin_rows()) {
    std::istringstream methods{std::string{row.methods}};
    for (std::string m; methods >> m;)
      all.insert(m + ' ' + std::string{row.pattern});
  }
  return all;
}

std::set<std::string> described(const json& document) {
  std::set<std::string> all;
  for (const auto& [path, item] : document.at("paths").items())
    for (const auto& [name, what] : item.items()) {
      if (name == "parameters")
        continue;
      std::string method = name;
      for (auto& c : method)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      all.insert(method + ' ' + path);
    }
  return all;
}

/// Calls `f` with each value named "$ref".
template <class F>
void each_reference(const json& value, F f) {
  if (value.is_object() && value.contains("$ref"))
    f(value.at("$ref").get<std::string>());
  if (value.is_structured())
    for (const auto& inner : value)
      each_reference(inner, f);
}

TEST(openapi, describes_what_the_routes_offer_and_nothing_else) {
  EXPECT_EQ(described(api_schema{}.document()), offered());
}

TEST(openapi, the_binary_has_the_document_of_the_docs) {
  std::ifstream file(TROUPE_SOURCE_DIR "/docs/api/openapi.json");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(openapi_document(), text.str());
  EXPECT_GT(openapi_document().size(), 10'000U);
}

TEST(openapi, every_reference_leads_somewhere) {
  const api_schema schema;
  each_reference(schema.document(), [&](const std::string& to) {
    EXPECT_TRUE(schema.document().contains(json::json_pointer(to.substr(1)))) << to;
  });
}

TEST(openapi, no_object_of_ours_may_have_more_than_is_described) {
  const api_schema schema;
  for (const auto& [name, component] : schema.document().at("components").at("schemas").items()) {
    if (component.value("type", "") == "object") {
      EXPECT_TRUE(component.contains("additionalProperties")) << name;
    }
  }
}

TEST(openapi, each_error_code_is_one_that_has_a_status) {
  const api_schema schema;
  const auto& codes = schema.document().at(
      json::json_pointer("/components/schemas/Error/properties/error/properties/code/enum"));
  EXPECT_EQ(codes.size(), 17U);
  for (const auto& code : codes)
    if (code != "storage_failed") {
      EXPECT_NE(status_of(code.get<std::string>()), 500) << code;
    }
}

TEST(schema_check, sees_what_is_wrong) {
  const api_schema schema;
  EXPECT_EQ(schema.fault_of("Health", R"({"status":"ok"})"), "");
  EXPECT_NE(schema.fault_of("Health", R"({"status":"bad"})"), "");
  EXPECT_NE(schema.fault_of("Health", R"({"status":"ok","more":1})"), "");
  EXPECT_NE(schema.fault_of("Health", R"({})"), "");
  EXPECT_NE(schema.fault_of("Whoami", R"({"name":1,"role":"viewer","from":""})"), "");
  EXPECT_NE(schema.fault_of("KeyPage", R"({"keys":[{}],"next":null,"total":0,"matched":0})"), "");
  EXPECT_NE(schema.fault_of("NewKey", R"({"secret":"x","limits":{"rpm":0}})"), "");
  EXPECT_NE(schema.fault_of("Pause", R"({"for":"10 minutes"})"), "");
}

} // namespace
} // namespace troupe
