#include "protocol/openai/models.hpp"

#include <simdjson.h>

#include <algorithm>
#include <unordered_set>

namespace troupe::openai {

namespace {

bool serves(const simdjson::dom::element& model) {
  simdjson::dom::array methods;
  if (model["supportedGenerationMethods"].get(methods))
    return false;
  return std::any_of(methods.begin(), methods.end(), [](const simdjson::dom::element& m) {
    std::string_view name;
    return !m.get(name)
           && (name == "generateContent" || name == "embedContent" || name == "predict");
  });
}

/// Ids go into JSON as they are, so only what needs no escaping may pass. No real id differs.
bool plain(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
}

void append_model(std::string& out, std::string_view id) {
  out += R"({"id":")";
  out += id;
  out += R"(","object":"model","created":0,"owned_by":"google"})";
}

void derive(std::vector<std::string>& out, const std::vector<std::string>& from,
            std::string_view suffix) {
  for (const auto& id : from)
    if (plain(id))
      out.push_back(id + std::string{suffix});
}

} // namespace

result<std::string> read_model_page(std::string_view body, std::vector<std::string>& ids) {
  simdjson::dom::parser parser;
  simdjson::dom::element page;
  simdjson::dom::array models;
  if (parser.parse(body.data(), body.size()).get(page) || !page.is_object())
    return failure{errc::upstream_malformed, "the upstream's model list is not a JSON object"};
  if (page["models"].get(models))
    return std::string{}; // an empty page has no such field
  for (const auto& model : models) {
    std::string_view name;
    if (model["name"].get(name) || !serves(model))
      continue;
    if (name.starts_with("models/"))
      name.remove_prefix(7);
    if (plain(name))
      ids.emplace_back(name);
  }
  std::string_view next;
  if (page["nextPageToken"].get(next))
    next = {};
  return std::string{next};
}

bool read_openai_models(std::string_view body, std::vector<std::string>& ids) {
  simdjson::dom::parser parser;
  simdjson::dom::element list;
  simdjson::dom::array models;
  if (parser.parse(body.data(), body.size()).get(list) || !list.is_object()
      || list["data"].get(models))
    return false;
  for (const auto& model : models)
    if (std::string_view id; !model["id"].get(id) && plain(id))
      ids.emplace_back(id);
  return true;
}

std::vector<std::string> offered_models(const std::vector<std::string>& real,
                                        const std::vector<std::string>& hidden,
                                        const translation_options& options) {
  const std::unordered_set<std::string_view> left_out(hidden.begin(), hidden.end());
  std::vector<std::string> ids;
  for (const auto& id : real)
    if (!left_out.contains(id))
      ids.push_back(id);
  derive(ids, options.search_models, "-search");
  derive(ids, options.image_models, "-image");
  derive(ids, options.non_thinking_models, "-non-thinking");
  return ids;
}

std::string render_model_list(const std::vector<std::string>& ids) {
  std::string out = R"({"object":"list","data":[)";
  for (const auto& id : ids) {
    if (out.back() != '[')
      out += ',';
    append_model(out, id);
  }
  out += "]}";
  return out;
}

std::string render_model(std::string_view id) {
  std::string out;
  append_model(out, id);
  return out;
}

} // namespace troupe::openai
