#include "sandbox/sampler.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace sandbox {

namespace {

constexpr int depth_max = 16;

class maker {
public:
  maker(const json& root, std::string_view word) : root_(root), word_(word) {}

  json make(const json& schema, int depth) const {
    if (!schema.is_object() || depth > depth_max)
      return nullptr;
    if (const auto ref = schema.find("$ref"); ref != schema.end() && ref->is_string())
      return make(resolve(ref->get<std::string>()), depth + 1);
    if (schema.contains("const"))
      return schema["const"];
    if (const auto e = schema.find("enum"); e != schema.end() && e->is_array() && !e->empty())
      return e->front();
    for (const auto* choice : {"anyOf", "oneOf"})
      if (const auto c = schema.find(choice); c != schema.end() && c->is_array() && !c->empty())
        return make(c->front(), depth + 1);
    return of_type(schema, type_of(schema), depth);
  }

private:
  json of_type(const json& schema, const std::string& type, int depth) const {
    if (type == "object")
      return object(schema, depth);
    if (type == "array") {
      json list = json::array();
      const auto wanted = std::min<std::uint64_t>(schema.value("minItems", std::uint64_t{1}), 10);
      for (std::uint64_t i = 0; i < std::max<std::uint64_t>(wanted, 1); ++i)
        list.push_back(make(schema.value("items", json::object()), depth + 1));
      return list;
    }
    if (type == "integer" || type == "number") {
      const auto least = schema.find("minimum");
      return least != schema.end() && least->is_number() ? *least : json(1);
    }
    if (type == "boolean")
      return true;
    if (type == "null")
      return nullptr;
    return word_;
  }

  json object(const json& schema, int depth) const {
    json o = json::object();
    if (const auto p = schema.find("properties"); p != schema.end() && p->is_object())
      for (const auto& [name, inner] : p->items())
        o[name] = make(inner, depth + 1);
    return o;
  }

  static std::string type_of(const json& schema) {
    const auto t = schema.find("type");
    std::string type;
    if (t != schema.end() && t->is_string())
      type = t->get<std::string>();
    else if (t != schema.end() && t->is_array() && !t->empty() && t->front().is_string())
      type = t->front().get<std::string>();
    else if (schema.contains("properties"))
      type = "object";
    std::transform(type.begin(), type.end(), type.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return type;
  }

  const json& resolve(const std::string& ref) const {
    static const json nothing = json::object();
    if (ref.rfind("#", 0) != 0)
      return nothing;
    const json* at = &root_;
    for (std::size_t from = 2; from < ref.size();) {
      const auto to = std::min(ref.find('/', from), ref.size());
      const auto found = at->find(ref.substr(from, to - from));
      if (found == at->end())
        return nothing;
      at = &*found;
      from = to + 1;
    }
    return *at;
  }

  const json& root_;
  std::string word_;
};

} // namespace

json sample(const json& schema, std::string_view word) {
  return maker{schema, word}.make(schema, 0);
}

} // namespace sandbox
