#include "protocol/openai/schema.hpp"

#include "protocol/json/reader.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace troupe::openai {
namespace {

using nlohmann::ordered_json;

struct conversion {
  schema_mode mode = schema_mode::automatic;
  gemini::generation made{2, 5};
  bool optional = false;
  schema_budget budget{};
};

/// The member that a schema becomes: `{"s":...}` in the subset, `{"j":...}` in the JSON
/// Schema form, `{}` if it is left out, or `too large`.
std::string converted(std::string_view schema, conversion how = {}) {
  json::reader reader;
  schema_writer schemas;
  const auto parsed = reader.parse(schema);
  if (!std::holds_alternative<json::element>(parsed))
    return "not JSON";
  std::string out;
  json::writer to{out};
  to.begin_object();
  const schema_target target{.subset = "s",
                             .json_schema = "j",
                             .optional = how.optional,
                             .mode = how.mode,
                             .made = how.made};
  const auto result = schemas.write(to, std::get<json::element>(parsed), target, how.budget);
  if (result == schema_result::too_large)
    return out == "{" ? "too large" : "too large, but left " + out;
  to.end_object();
  if (!ordered_json::accept(out))
    return "not JSON: " + out;
  return out;
}

/// The subset, forced.
std::string subset(std::string_view schema) {
  const auto out = converted(schema, {.mode = schema_mode::subset});
  return out.starts_with(R"({"s":)") ? out.substr(5, out.size() - 6) : out;
}

/// The JSON Schema form, forced.
std::string full(std::string_view schema) {
  const auto out = converted(schema, {.mode = schema_mode::json_schema});
  return out.starts_with(R"({"j":)") ? out.substr(5, out.size() - 6) : out;
}

TEST(schema_subset, references_are_replaced_by_their_target_and_siblings_win) {
  EXPECT_EQ(subset(R"({"$ref":"#/$defs/A","title":"T","$defs":{"A":{"type":"string","title":"U",
                       "pattern":"x"}}})"),
            R"({"type":"string","title":"T","pattern":"x"})");
  EXPECT_EQ(subset(R"({"$ref":"#/$defs/A","properties":{"b":{"type":"string"}},
                       "$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}}}})"),
            R"({"type":"object","properties":{"b":{"type":"string"}}})");
}

TEST(schema_subset, references_chain_and_reach_anywhere) {
  EXPECT_EQ(subset(R"({"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/B"},
                       "B":{"type":"integer"}}})"),
            R"({"type":"integer"})");
  EXPECT_EQ(
      subset(R"({"properties":{"a":{"anyOf":[{"type":"number"},{"type":"boolean"}]},
                       "b":{"$ref":"#/properties/a/anyOf/1"}}})"),
      R"({"type":"object","properties":{"a":{"anyOf":[{"type":"number"},{"type":"boolean"}]},)"
      R"("b":{"type":"boolean"}}})");
  EXPECT_EQ(subset(R"({"$ref":"#/$defs/a~1b~0c%20d","$defs":{"a/b~c d":{"type":"number"}}})"),
            R"({"type":"number"})");
}

TEST(schema_subset, a_reference_to_nothing_is_a_string) {
  EXPECT_EQ(subset(R"({"$ref":"#/$defs/No","description":"d"})"),
            R"({"type":"string","description":"d"})");
  for (const auto* pointer : {"#/a/9", "#anchor", "http://x/y", "", "#/", "#/properties/x/0"})
    EXPECT_EQ(subset(R"({"$ref":")" + std::string(pointer) + R"("})"), R"({"type":"string"})")
        << pointer;
}

TEST(schema_subset, a_recursive_reference_ends_as_an_object) {
  EXPECT_EQ(subset(R"({"type":"object","properties":{"v":{"type":"string"},
                       "next":{"$ref":"#","description":"rest"}}})"),
            R"({"type":"object","properties":{"v":{"type":"string"},"next":{"type":"object",)"
            R"("description":"rest","properties":{"v":{"type":"string"},"next":{"type":"object",)"
            R"("description":"rest"}}}}})")
      << "the root is no reference, so it is met once more";
  EXPECT_EQ(subset(R"({"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/B"},
                       "B":{"$ref":"#/$defs/A"}}})"),
            R"({"type":"object"})");
}

TEST(schema_subset, all_of_unites_properties_and_takes_the_first_of_the_rest) {
  EXPECT_EQ(subset(R"({"allOf":[{"$ref":"#/$defs/A"},{"properties":{"b":{"type":"number"},
                       "a":{"type":"number"}},"required":["b","a"],"title":"T"}],
                       "$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}},
                       "required":["a"],"title":"S"}}})"),
            R"({"type":"object","title":"S","properties":{"a":{"type":"string"},)"
            R"("b":{"type":"number"}},"required":["a","b"]})");
  EXPECT_EQ(subset(R"({"allOf":[{"allOf":[{"minLength":1}]},{"type":"string"}]})"),
            R"({"type":"string","minLength":1})");
}

TEST(schema_subset, one_of_is_any_of) {
  EXPECT_EQ(subset(R"({"oneOf":[{"type":"string"},{"type":"integer"}]})"),
            R"({"anyOf":[{"type":"string"},{"type":"integer"}]})");
}

TEST(schema_subset, a_list_of_types_becomes_alternatives) {
  EXPECT_EQ(subset(R"({"type":["integer","null"]})"), R"({"type":"integer","nullable":true})");
  EXPECT_EQ(subset(R"({"type":["null"]})"), R"({"type":"string","nullable":true})");
  EXPECT_EQ(subset(R"({"type":["array","object","null"],"items":{"type":"number"},
                       "properties":{"a":{"type":"string"}},"required":["a"],"title":"T"})"),
            R"({"title":"T","nullable":true,"anyOf":[{"type":"array","items":{"type":"number"}},)"
            R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}]})");
}

TEST(schema_subset, a_null_alternative_makes_the_rest_nullable) {
  EXPECT_EQ(subset(R"({"anyOf":[{"type":"string","title":"S"},{"type":"null"}],"title":"T"})"),
            R"({"type":"string","title":"T","nullable":true})");
  EXPECT_EQ(subset(R"({"anyOf":[{"type":"string"},{"type":"integer"},{"const":null}]})"),
            R"({"nullable":true,"anyOf":[{"type":"string"},{"type":"integer"}]})");
  EXPECT_EQ(subset(R"({"anyOf":[{"type":"null"}]})"), R"({"type":"string","nullable":true})");
  EXPECT_EQ(subset(R"({"anyOf":[{"oneOf":[{"type":"null"},{"type":"number"}]}]})"),
            R"({"type":"number","nullable":true})")
      << "merged up more than once";
  EXPECT_EQ(subset(R"({"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}],
                       "$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}}}})"),
            R"({"type":"object","nullable":true,"properties":{"a":{"type":"string"}}})");
}

TEST(schema_subset, alternatives_that_say_nothing_we_keep_are_left_out) {
  EXPECT_EQ(subset(R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},
                       "anyOf":[{"required":["a"]},{"required":["b"]}]})"),
            R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}})");
}

TEST(schema_subset, constants_and_values) {
  EXPECT_EQ(subset(R"({"const":"a"})"), R"({"type":"string","enum":["a"]})");
  EXPECT_EQ(subset(R"({"const":"a","enum":["a","b"]})"), R"({"type":"string","enum":["a"]})");
  EXPECT_EQ(subset(R"({"const":null})"), R"({"type":"string","nullable":true})");
  EXPECT_EQ(subset(R"({"const":1,"description":"d"})"),
            R"({"type":"integer","description":"d Allowed values: 1."})");
  EXPECT_EQ(subset(R"({"enum":[1,2.5]})"),
            R"({"type":"number","description":"Allowed values: 1, 2.5."})");
  EXPECT_EQ(subset(R"({"enum":[true,null]})"),
            R"({"type":"boolean","description":"Allowed values: true.","nullable":true})");
  EXPECT_EQ(subset(R"({"enum":["a\"",1]})"),
            R"({"type":"string","description":"Allowed values: \"a\\\"\", 1."})");
  EXPECT_EQ(subset(R"({"type":["string","null"],"enum":["a",null]})"),
            R"({"type":"string","nullable":true,"enum":["a"]})");
  EXPECT_EQ(subset(R"({"enum":[]})"), R"({"type":"string"})");
}

TEST(schema_subset, exclusive_bounds_become_inclusive_ones) {
  EXPECT_EQ(subset(R"({"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10})"),
            R"({"type":"integer","minimum":1,"maximum":9})");
  EXPECT_EQ(subset(R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1.5})"),
            R"({"type":"number","minimum":0,"maximum":1.5})");
  EXPECT_EQ(subset(R"({"type":"integer","exclusiveMinimum":0.5,"exclusiveMaximum":-0.5})"),
            R"({"type":"integer","minimum":1,"maximum":-1})");
  EXPECT_EQ(subset(R"({"type":"integer","minimum":5,"exclusiveMinimum":3,"maximum":2,
                       "exclusiveMaximum":9})"),
            R"({"type":"integer","minimum":5,"maximum":2})")
      << "the stricter one";
  EXPECT_EQ(subset(R"({"type":"integer","minimum":3,"exclusiveMinimum":3})"),
            R"({"type":"integer","minimum":4})");
  EXPECT_EQ(subset(R"({"type":"number","minimum":1,"exclusiveMinimum":true})"),
            R"({"type":"number","minimum":1})");
  EXPECT_EQ(subset(R"({"type":"integer","exclusiveMinimum":9223372036854775807})"),
            R"({"type":"integer","minimum":9223372036854775807})");
}

TEST(schema_subset, formats_are_kept_where_the_upstream_knows_them) {
  EXPECT_EQ(subset(R"({"type":"number","format":"double"})"),
            R"({"type":"number","format":"double"})");
  EXPECT_EQ(subset(R"({"type":"INTEGER","format":"int64"})"),
            R"({"type":"INTEGER","format":"int64"})");
  EXPECT_EQ(subset(R"({"type":"string","format":"date-time"})"),
            R"({"type":"string","format":"date-time"})");
  for (const auto* other : {"date", "email", "uuid", "int32"})
    EXPECT_EQ(subset(R"({"type":"string","format":")" + std::string(other) + R"("})"),
              R"({"type":"string"})");
}

TEST(schema_subset, tuples_become_lists_of_their_distinct_members) {
  EXPECT_EQ(subset(R"({"type":"array","prefixItems":[{"type":"string"},{"type":"number"},
                       {"type":"string"}],"items":false})"),
            R"({"type":"array","items":{"anyOf":[{"type":"string"},{"type":"number"}]}})");
  EXPECT_EQ(subset(R"({"items":[{"type":"string"},{"type":"string"}]})"),
            R"({"type":"array","items":{"type":"string"}})");
  EXPECT_EQ(subset(R"({"prefixItems":[]})"), R"({"type":"array","items":{"type":"string"}})");
}

TEST(schema_subset, gaps_are_filled) {
  EXPECT_EQ(subset(R"({"type":"array"})"), R"({"type":"array","items":{"type":"string"}})");
  EXPECT_EQ(subset(R"({"items":{}})"), R"({"type":"array","items":{"type":"string"}})");
  EXPECT_EQ(subset("{}"), R"({"type":"string"})");
  EXPECT_EQ(subset(R"({"properties":{"a":true,"b":false,"c":null},"required":["b","c"]})"),
            R"({"type":"object","properties":{"a":{"type":"string"}}})");
}

TEST(schema_subset, required_names_exist_and_come_once) {
  EXPECT_EQ(subset(R"({"properties":{"a":{},"b":{}},"required":["b","x","b",1,"a"]})"),
            R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},)"
            R"("required":["b","a"]})");
}

TEST(schema_subset, of_properties_with_one_name_the_last_wins) {
  EXPECT_EQ(subset(R"({"properties":{"a":{"type":"string"},"b":{"type":"string"},
                       "a":{"type":"number"}}})"),
            R"({"type":"object","properties":{"a":{"type":"number"},"b":{"type":"string"}}})");
  ordered_json many = ordered_json::object();
  std::string text = R"({"properties":{)";
  for (int i = 0; i < 50; ++i)
    text += "\"p" + std::to_string(i % 40) + R"(":{"type":")" + (i < 40 ? "string" : "number")
            + R"("},)";
  text.back() = '}';
  const auto out = ordered_json::parse(subset(text + R"(,"required":["p39","p0","q"]})"));
  EXPECT_EQ(out["properties"].size(), 40U);
  EXPECT_EQ(out["properties"]["p9"]["type"], "number");
  EXPECT_EQ(out["properties"]["p10"]["type"], "string");
  EXPECT_EQ(out["required"], (ordered_json{"p39", "p0"}));
}

TEST(schema_subset, keeps_what_the_upstream_knows_and_drops_the_rest) {
  EXPECT_EQ(subset(R"({"$schema":"s","$id":"i","$comment":"c","type":"object","title":"T",
      "minProperties":1,"maxProperties":2,"default":{},"examples":[1],"not":{},"if":{},"then":{},
      "patternProperties":{"x":{}},"additionalProperties":false,"propertyOrdering":["a"],
      "properties":{"a":{"type":"string","minLength":1,"maxLength":2,"pattern":"p","default":"d",
      "contentEncoding":"base64"},"l":{"type":"array","minItems":1,"maxItems":3,"uniqueItems":true,
      "items":{"type":"number","multipleOf":2}}}})"),
            R"({"type":"object","title":"T","minProperties":1,"maxProperties":2,"properties":{)"
            R"("a":{"type":"string","minLength":1,"maxLength":2,"pattern":"p"},)"
            R"("l":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"number"}}},)"
            R"("propertyOrdering":["a"]})");
}

TEST(schema_subset, keywords_of_wrong_types_are_dropped) {
  EXPECT_EQ(subset(R"({"type":5,"title":1,"description":[],"enum":"x","required":true,
                       "properties":[],"minimum":"1","anyOf":{},"allOf":1,"$ref":7,"format":2})"),
            R"({"type":"string"})");
}

TEST(schema_subset, is_cut_off_below_a_depth) {
  std::string deep = R"({"type":"string"})";
  for (int i = 0; i < 40; ++i)
    deep = R"({"type":"array","items":)" + deep + "}";
  const auto out = subset(deep);
  std::string expected = R"({"type":"object"})";
  for (int i = 0; i < 32; ++i)
    expected = R"({"type":"array","items":)" + expected + "}";
  EXPECT_EQ(out, expected);
}

TEST(schema_form, structures_beyond_the_subset_go_to_the_other_field) {
  for (const auto* beyond :
       {R"({"type":"object","properties":{"m":{"additionalProperties":{"type":"string"}}}})",
        R"({"type":"array","prefixItems":[{"type":"string"}]})",
        R"({"properties":{"n":{"$ref":"#"}}})"}) {
    EXPECT_TRUE(converted(beyond).starts_with(R"({"j":)")) << beyond;
    EXPECT_TRUE(converted(beyond, {.made = {2, 0}}).starts_with(R"({"s":)")) << beyond;
    EXPECT_TRUE(converted(beyond, {.mode = schema_mode::subset}).starts_with(R"({"s":)")) << beyond;
  }
  EXPECT_TRUE(converted(R"({"type":"string"})").starts_with(R"({"s":)"));
  EXPECT_TRUE(
      converted(R"({"type":"object","additionalProperties":false})").starts_with(R"({"s":)"));
}

TEST(schema_form, a_definition_used_twice_is_not_recursive) {
  EXPECT_EQ(converted(R"({"properties":{"a":{"$ref":"#/$defs/P"},"b":{"allOf":[{"$ref":"#/$defs/P"},
                          {"$ref":"#/$defs/Q"}]}},"$defs":{"P":{"type":"object","properties":{
                          "q":{"$ref":"#/$defs/Q"}}},"Q":{"type":"object","title":"Q"}}})"),
            R"({"s":{"type":"object","properties":{"a":{"type":"object","properties":{"q":)"
            R"({"type":"object","title":"Q"}}},"b":{"type":"object","title":"Q","properties":)"
            R"({"q":{"type":"object","title":"Q"}}}}}})");
}

TEST(schema_form, an_object_without_properties_may_be_left_out) {
  for (const auto* empty :
       {"{}", R"({"type":"object"})", R"({"type":"object","properties":{}})",
        R"({"type":["object","null"],"additionalProperties":{"type":"string"}})",
        R"({"$ref":"#/$defs/A","$defs":{"A":{"type":"object"}}})"}) {
    EXPECT_EQ(converted(empty, {.optional = true}), "{}") << empty;
    EXPECT_EQ(converted(empty, {.mode = schema_mode::json_schema, .optional = true}), "{}")
        << empty;
  }
  EXPECT_EQ(converted(R"({"type":"object"})"), R"({"s":{"type":"object"}})");
  EXPECT_EQ(converted(R"({"type":"string"})", {.optional = true}), R"({"s":{"type":"string"}})");
}

TEST(schema_full, keeps_references_maps_tuples_and_alternatives) {
  EXPECT_EQ(
      full(R"({"$schema":"x","$id":"i","$anchor":"a","type":["object","null"],
      "properties":{"definitions":{"$ref":"#/definitions/D/properties/definitions","title":"gone"},
      "t":{"type":"array","prefixItems":[{"type":"string"},true],"items":false,"uniqueItems":true},
      "o":{"oneOf":[{"const":null},{"type":"integer","exclusiveMinimum":1}]},"u":{"enum":["a",null]},
      "m":{"additionalProperties":{"type":"string","minLength":3}}},"required":["t","x","t"],
      "additionalProperties":false,"definitions":{"D":{"properties":{"definitions":{}}}},
      "$defs":{"E":{"format":"uri"}}})"),
      R"({"$id":"i","$anchor":"a","type":["object","null"],"properties":{"definitions":)"
      R"({"$ref":"#/$defs/D/properties/definitions"},"t":{"type":"array","prefixItems":)"
      R"([{"type":"string"},true],"items":false},"o":{"oneOf":[{"enum":[null]},)"
      R"({"type":"integer","minimum":2}]},"u":{"enum":["a",null]},"m":)"
      R"({"additionalProperties":{"type":"string"}}},"additionalProperties":false,)"
      R"("required":["t"],"$defs":{"E":{"format":"uri"},"D":{"properties":{"definitions":{}}}}})");
}

TEST(schema_full, all_of_is_merged_and_stops_at_recursion) {
  EXPECT_EQ(full(R"({"allOf":[{"$ref":"#/$defs/A"},{"properties":{"b":{"type":"string"}}}],
                     "$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}}}})"),
            R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},)"
            R"("$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}}}})");
  const auto out = full(R"({"properties":{"n":{"allOf":[{"$ref":"#/$defs/N"}]}},
      "$defs":{"N":{"properties":{"n":{"allOf":[{"$ref":"#/$defs/N"}],"title":"T"}}}}})");
  EXPECT_NE(out.find(R"({"$ref":"#/$defs/N"})"), out.npos) << out;
}

TEST(schema_budget, a_reference_bomb_takes_the_other_form_or_is_refused) {
  std::string bomb = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 25; ++i) {
    const auto next = "#/$defs/d" + std::to_string(i + 1);
    bomb += "\"d" + std::to_string(i) + R"(":{"type":"object","properties":{"a":{"$ref":")" + next
            + R"("},"b":{"$ref":")" + next + R"("}}},)";
  }
  bomb += R"("d25":{"type":"string"}}})";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(converted(bomb).starts_with(R"({"j":{"$ref":"#/$defs/d0")"));
  EXPECT_EQ(converted(bomb, {.made = {2, 0}}), "too large");
  EXPECT_EQ(converted(bomb, {.mode = schema_mode::subset}), "too large");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(schema_budget, a_long_text_is_not_multiplied_without_end) {
  std::string wide = R"({"properties":{)";
  for (int i = 0; i < 2'000; ++i)
    wide += "\"p" + std::to_string(i) + R"(":{"$ref":"#/$defs/T"},)";
  wide.back() = '}';
  wide +=
      R"(,"$defs":{"T":{"type":"string","description":")" + std::string(100'000, 'x') + R"("}}})";
  EXPECT_EQ(converted(wide), "too large");
}

TEST(schema_budget, is_shared_by_the_schemas_of_a_request) {
  json::reader reader;
  schema_writer schemas;
  schema_budget budget{.nodes = 10, .steps = 1'000, .bytes = 10'000};
  std::string out;
  json::writer to{out};
  to.begin_object();
  const schema_target target{.subset = "s", .json_schema = "j"};
  const auto parsed = reader.parse(R"({"properties":{"a":{},"b":{},"c":{}}})");
  const auto& root = std::get<json::element>(parsed);
  EXPECT_EQ(schemas.write(to, root, target, budget), schema_result::written);
  EXPECT_EQ(schemas.write(to, root, target, budget), schema_result::written);
  EXPECT_EQ(schemas.write(to, root, target, budget), schema_result::too_large);
}

TEST(schema_budget, endless_chains_and_deep_merges_end) {
  std::string chain = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 3'000; ++i)
    chain += "\"d" + std::to_string(i) + R"(":{"allOf":[{"$ref":"#/$defs/d)" + std::to_string(i + 1)
             + R"("}]},)";
  chain += R"("d3000":{}}})";
  for (const auto mode : {schema_mode::automatic, schema_mode::subset, schema_mode::json_schema}) {
    const auto out = converted(chain, {.mode = mode});
    EXPECT_TRUE(out == "too large" || out.starts_with("{")) << out.substr(0, 100);
  }
}

} // namespace
} // namespace troupe::openai
