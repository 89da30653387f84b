#include "protocol/config/schema.hpp"

#include "protocol/config/options.hpp"
#include "protocol/config/store_objects.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <string_view>
#include <utility>

namespace troupe::config {

namespace {

/// Members stay in the order of the table, which is the order in which options are explained.
using json = nlohmann::ordered_json;

// White space around durations, sizes and addresses is allowed, as loading allows it.
constexpr const char* duration_pattern =
    "^[ \\t\\r\\n]*(0|(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m(?!s))?([0-9]+s)?([0-9]+ms)?)"
    "[ \\t\\r\\n]*$";
constexpr const char* size_pattern =
    "^[ \\t\\r\\n]*[0-9]+[ \\t\\r\\n]*(GiB|MiB|KiB|GB|MB|kB|KB|B)?[ \\t\\r\\n]*$";
constexpr const char* name_pattern = "^[A-Za-z0-9._-]+$";
constexpr const char* url_pattern = "^https?://[^/@?#]+(/[^ ?#]*)?$";
constexpr const char* origin_pattern = "^(\\*|https?://[^/@?#]+)$";
constexpr const char* address_pattern =
    "^[ \\t\\r\\n]*([0-9.]+|\\[[0-9A-Fa-f:.]+\\]|localhost)?:[0-9]+[ \\t\\r\\n]*$";
constexpr const char* zone_pattern = "^[A-Za-z0-9_+/-]+$";
constexpr const char* header_pattern = "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$";
constexpr const char* proxy_pattern =
    "^(http|https|socks5|socks5h)://([^ /?#@:][^ /?#@]*@)?(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)"
    ":[0-9]+$";
constexpr const char* model_pattern = "^[!-~]{1,128}$";
constexpr const char* printable_pattern = "^[!-~]+$";

json text(const char* pattern) {
  return {{"type", "string"}, {"pattern", pattern}};
}

json list(json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

json whole_number(const option& o) {
  json schema{{"type", "integer"}, {"minimum", o.least}};
  if (o.most != std::numeric_limits<std::int64_t>::max())
    schema["maximum"] = o.most;
  return schema;
}

json words(const option& o) {
  json all = json::array();
  for (const auto word : choices_of(o))
    all.push_back(word);
  return {{"enum", std::move(all)}};
}

json safety_setting() {
  return {{"type", "object"},
          {"properties", {{"category", {{"type", "string"}}}, {"threshold", {{"type", "string"}}}}},
          {"required", {"category", "threshold"}},
          {"additionalProperties", false}};
}

/// An object of things by the names of models; null says nothing.
json by_model(json value) {
  value["type"] = {value["type"], "null"};
  return {{"type", "object"},
          {"propertyNames", {{"pattern", model_pattern}}},
          {"additionalProperties", std::move(value)}};
}

json limits_schema(bool with_models) {
  json properties = json::object();
  for (const auto kind : limit_kinds)
    properties[std::string{to_string(kind)}] = {
        {"type", {"integer", "null"}}, {"minimum", 1}, {"maximum", limit_amount_max}};
  if (with_models) {
    properties["models"] = by_model(limits_schema(false));
    properties["models"]["type"] = {"object", "null"};
  }
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

json fallbacks_schema() {
  auto models = list(text(model_pattern));
  models["minItems"] = 1;
  models["maxItems"] = fallback_models_max;
  return by_model(std::move(models));
}

/// What may stand there, besides `null`.
json value_schema(const option& o) {
  switch (o.type) {
  case option_type::boolean:
    return {{"type", "boolean"}};
  case option_type::integer:
    return whole_number(o);
  case option_type::span:
    return text(duration_pattern);
  case option_type::bytes:
    return {{"anyOf", {whole_number(o), text(size_pattern)}}};
  case option_type::text: {
    auto schema = text(name_pattern);
    schema["maxLength"] = given_name_length_max;
    return schema;
  }
  case option_type::path:
    return {{"type", "string"}, {"maxLength", path_length_max}};
  case option_type::url:
    return text(url_pattern);
  case option_type::address:
    return text(address_pattern);
  case option_type::choice:
    return words(o);
  case option_type::choices:
    return list(words(o));
  case option_type::texts: {
    auto schema = list(text(printable_pattern));
    schema["items"]["maxLength"] = text_length_max;
    schema["maxItems"] = texts_max;
    return schema;
  }
  case option_type::origins: {
    auto schema = list(text(origin_pattern));
    schema["maxItems"] = texts_max;
    return schema;
  }
  case option_type::zone: {
    auto schema = text(zone_pattern);
    schema["maxLength"] = 64;
    return schema;
  }
  case option_type::header_names:
  case option_type::proxies: {
    auto schema = list(text(o.type == option_type::proxies ? proxy_pattern : header_pattern));
    schema["maxItems"] = texts_max;
    return schema;
  }
  case option_type::limits:
    return limits_schema(true);
  case option_type::aliases:
    return by_model(text(model_pattern));
  case option_type::fallbacks:
    return fallbacks_schema();
  case option_type::secrets: {
    auto schema = list(text(printable_pattern));
    schema["items"]["maxLength"] = secret_length_max;
    return schema;
  }
  case option_type::secret_text: {
    auto schema = text(printable_pattern);
    schema["minLength"] = credential_length_min;
    schema["maxLength"] = secret_length_max;
    return schema;
  }
  case option_type::digest:
    return text("^[0-9A-Fa-f]{64}$");
  case option_type::headers:
    return {{"type", "object"},
            {"propertyNames", {{"pattern", header_pattern}}},
            {"additionalProperties", text("^[ -~]*$")}};
  case option_type::objects:
    return list({{"type", "object"}, {"properties", json::object()}});
  case option_type::json:
    return list(safety_setting());
  }
  return json::object();
}

std::string description_of(const option& o) {
  std::string out{o.doc};
  out += " Allowed: " + allowed(o) + '.';
  if (const auto name = environment_name(o); !name.empty())
    out += " Variable: " + name + '.';
  return out + (o.live ? " A change applies live." : " A change applies at the next start.");
}

/// `null` means: as if it were not said.
json schema_of(const option& o) {
  json schema{{"description", description_of(o)}};
  if (o.required) {
    schema.update(value_schema(o));
    return schema;
  }
  schema["default"] = json::parse(o.fallback);
  auto value = value_schema(o);
  const bool zero = o.type == option_type::span && o.least == 0;
  if (zero)
    schema["anyOf"] = {std::move(value), {{"const", 0}}, {{"type", "null"}}};
  else if (value.contains("anyOf"))
    value["anyOf"].push_back({{"type", "null"}});
  else if (value.contains("enum"))
    value["enum"].push_back(nullptr);
  else
    value["type"] = {value["type"], "null"};
  if (!zero)
    schema.update(value);
  return schema;
}

json object_schema() {
  return {{"type", "object"}, {"properties", json::object()}, {"additionalProperties", false}};
}

/// Puts the schema of an option where its path says. Lists of objects stand in the table before
/// what is in them.
void put(json& root, const option& o) {
  auto* at = &root;
  auto path = o.path;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    auto name = path.substr(0, dot);
    path.remove_prefix(dot + 1);
    const bool in_list = name.ends_with("[]");
    if (in_list)
      name.remove_suffix(2);
    auto& below = (*at)["properties"][std::string{name}];
    if (below.is_null()) {
      below = object_schema();
      below["type"] = {"object", "null"};
    }
    at = in_list ? &below["items"] : &below;
  }
  (*at)["properties"][std::string{path}] = schema_of(o);
  if (o.type == option_type::objects)
    (*at)["properties"][std::string{path}]["items"] = object_schema();
  if (o.required)
    (*at)["required"].push_back(path);
}

} // namespace

std::string config_schema() {
  auto root = object_schema();
  for (const auto& o : options())
    put(root, o);
  json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Configuration of troupe"},
              {"description", "Comments (// and /* */) are allowed in the file; null means the "
                              "same as saying nothing."}};
  schema.update(root);
  schema["properties"]["$schema"] = {{"description", "Where editors find this schema."},
                                     {"type", {"string", "null"}}};
  return schema.dump(2) + '\n';
}

} // namespace troupe::config
