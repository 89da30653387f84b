#include "tests/actors/admin/schema_check.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <regex>
#include <set>

namespace troupe {

namespace {

using nlohmann::json;

bool is_of_type(const json& value, const std::string& type) {
  if (type == "object")
    return value.is_object();
  if (type == "array")
    return value.is_array();
  if (type == "string")
    return value.is_string();
  if (type == "integer")
    return value.is_number_integer();
  if (type == "number")
    return value.is_number();
  if (type == "boolean")
    return value.is_boolean();
  return type == "null" && value.is_null();
}

bool is_of_types(const json& value, const json& types) {
  if (types.is_string())
    return is_of_type(value, types);
  return std::any_of(types.begin(), types.end(),
                     [&](const json& t) { return is_of_type(value, t.get<std::string>()); });
}

const std::regex instant(R"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)");

} // namespace

api_schema::api_schema() {
  std::ifstream file(TROUPE_SOURCE_DIR "/docs/api/openapi.json");
  document_ = json::parse(file);
}

const json& api_schema::resolved(const json& maybe) const {
  if (!maybe.contains("$ref"))
    return maybe;
  return document_.at(json::json_pointer(maybe.at("$ref").get<std::string>().substr(1)));
}

std::string api_schema::check_object(const json& schema, const json& value,
                                     const std::string& path) const {
  static const json none = json::object();
  for (const auto& name : schema.value("required", json::array()))
    if (!value.contains(name.get<std::string>()))
      return path + ": lacks " + name.get<std::string>();
  const auto& properties = schema.contains("properties") ? schema.at("properties") : none;
  for (const auto& [name, member] : value.items()) {
    std::string fault;
    if (properties.contains(name))
      fault = check(properties.at(name), member, path + '.' + name);
    else if (!schema.contains("additionalProperties"))
      continue;
    else if (schema.at("additionalProperties").is_boolean())
      fault = schema.at("additionalProperties").get<bool>() ? "" : path + ": has also " + name;
    else
      fault = check(schema.at("additionalProperties"), member, path + '.' + name);
    if (!fault.empty())
      return fault;
  }
  return {};
}

std::string api_schema::check(const json& schema, const json& value,
                              const std::string& path) const {
  static const std::set<std::string> known{
      "type",     "properties",  "required", "additionalProperties",
      "items",    "enum",        "anyOf",    "oneOf",
      "pattern",  "format",      "minimum",  "maximum",
      "$ref",     "description", "default",  "examples",
      "writeOnly"};
  if (!schema.is_object())
    return path + ": the schema is none";
  for (const auto& [word, unused] : schema.items())
    if (!known.contains(word))
      return path + ": the schema says " + word + ", which is not known here";
  if (schema.contains("$ref"))
    return check(resolved(schema), value, path);
  if (schema.contains("type") && !is_of_types(value, schema.at("type")))
    return path + ": is of another type: " + value.dump().substr(0, 100);
  if (schema.contains("enum")
      && std::find(schema.at("enum").begin(), schema.at("enum").end(), value)
             == schema.at("enum").end())
    return path + ": is none of the words: " + value.dump();
  for (const auto* word : {"anyOf", "oneOf"}) {
    if (!schema.contains(word))
      continue;
    const auto& all = schema.at(word);
    const auto good = std::count_if(
        all.begin(), all.end(), [&](const json& one) { return check(one, value, path).empty(); });
    if (good == 0 || (std::string_view{word} == "oneOf" && good != 1))
      return path + ": fits " + std::to_string(good) + " of " + word;
  }
  if (value.is_number_integer() && schema.contains("minimum") && value < schema.at("minimum"))
    return path + ": is too small";
  if (value.is_string() && schema.contains("pattern")
      && !std::regex_search(value.get<std::string>(),
                            std::regex(schema.at("pattern").get<std::string>())))
    return path + ": does not match the pattern";
  if (value.is_string() && schema.value("format", "") == "date-time"
      && !std::regex_match(value.get<std::string>(), instant))
    return path + ": is no instant";
  if (value.is_object())
    return check_object(schema, value, path);
  if (value.is_array() && schema.contains("items"))
    for (std::size_t i = 0; i < value.size(); ++i)
      if (auto fault = check(schema.at("items"), value[i], path + '[' + std::to_string(i) + ']');
          !fault.empty())
        return fault;
  return {};
}

std::string api_schema::fault_of(std::string_view name, std::string_view value) const {
  const auto read = json::parse(value, nullptr, false);
  if (read.is_discarded())
    return "is not JSON";
  return check(document_.at("components").at("schemas").at(std::string{name}), read,
               std::string{name});
}

std::string api_schema::fault_of_answer(std::string_view pattern, std::string_view method,
                                        int status, std::string_view body) const {
  const auto& paths = document_.at("paths");
  if (!paths.contains(std::string{pattern}))
    return "there is no such path";
  std::string word{method == "HEAD" ? "GET" : method};
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto& path = paths.at(std::string{pattern});
  if (!path.contains(word))
    return status == 405 ? fault_of("Error", body) : "the path does not take " + word;
  const auto& answers = path.at(word).at("responses");
  const auto code = std::to_string(status);
  if (!answers.contains(code) && status < 400)
    return "no answer of status " + code + " is described";
  const auto& answer = resolved(answers.at(answers.contains(code) ? code : "default"));
  if (!answer.contains("content"))
    return body.empty() ? "" : "a body where none is described";
  if (!answer.at("content").contains("application/json"))
    return body.empty() ? "an empty body" : "";
  const auto read = json::parse(body, nullptr, false);
  if (read.is_discarded())
    return "is not JSON: " + std::string{body.substr(0, 200)};
  return check(answer.at("content").at("application/json").at("schema"), read, "body");
}

} // namespace troupe
