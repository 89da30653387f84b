#include "protocol/gemini/model_list.hpp"

#include "protocol/json/reader.hpp"
#include "protocol/json/writer.hpp"

namespace troupe::gemini {

namespace {

std::string_view id_of(const json::element& model) {
  const auto object = json::as_object(model);
  const auto name = object ? json::find_member(*object, "name") : std::nullopt;
  auto id = name ? json::as_string(*name).value_or("") : std::string_view{};
  if (id.starts_with("models/"))
    id.remove_prefix(7);
  return id;
}

} // namespace

result<std::string> keep_models(std::string_view page,
                                const std::function<bool(std::string_view id)>& keep) {
  json::reader reader;
  const auto parsed = reader.parse(page);
  const auto* root = std::get_if<json::element>(&parsed);
  const auto whole = root != nullptr ? json::as_object(*root) : std::nullopt;
  if (!whole)
    return failure{errc::upstream_malformed, "the upstream's model list is not a JSON object"};
  std::string out;
  json::writer w{out};
  w.begin_object();
  for (const auto field : *whole) {
    w.foreign_key(field.key);
    const auto models = field.key == "models" ? json::as_array(field.value) : std::nullopt;
    if (!models) {
      w.element(field.value);
      continue;
    }
    w.begin_array();
    for (const auto model : *models)
      if (const auto id = id_of(model); !id.empty() && keep(id))
        w.element(model);
    w.end_array();
  }
  w.end_object();
  return out;
}

} // namespace troupe::gemini
