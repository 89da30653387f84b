#include "protocol/gemini/native_body.hpp"

#include "protocol/gemini/native_target.hpp"
#include "protocol/json/writer.hpp"

namespace troupe::gemini {
namespace {

using json::place;
using simdjson::dom::element;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

bool is_kind(std::string_view body, place at, char bracket) {
  return body[at.begin] == bracket;
}

void replace(std::string& body, place at, std::string_view value) {
  body.replace(at.begin, at.end - at.begin, value);
}

/// Puts `"name":value` first into the object at `object`.
void insert_member(std::string& body, place object, std::string_view name, std::string_view value) {
  std::string member{"\""};
  member.append(name).append("\":").append(value);
  if (!json::is_empty_at(body, object))
    member += ',';
  body.insert(object.begin + 1, member);
}

/// Adds the search tool, unless the client has it already or Gemini would refuse it: beside
/// function declarations (F5) and beside a cache (O19).
void add_search(std::string& body) {
  constexpr std::string_view tool = R"({"googleSearch":{}})";
  const auto root = json::root_place(body);
  if (json::member_place(body, root, "cachedContent", "cached_content"))
    return;
  const auto tools = json::member_place(body, root, "tools");
  if (!tools || tools->in(body) == "null") {
    const auto list = '[' + std::string{tool} + ']';
    if (tools)
      replace(body, *tools, list);
    else
      insert_member(body, root, "tools", list);
    return;
  }
  if (!is_kind(body, *tools, '['))
    return; // the upstream tells the client what is wrong
  const auto listed = tools->in(body);
  for (const std::string_view present : {"\"googleSearch\"", "\"google_search\"",
                                         "\"functionDeclarations\"", "\"function_declarations\""})
    if (contains(listed, present))
      return;
  body.insert(tools->end - 1, (json::is_empty_at(body, *tools) ? "" : ",") + std::string{tool});
}

/// Sets a member of `generationConfig`; one that is there is replaced unless it `suits`.
template <class Suits>
void set_config(std::string& body, std::string_view name, std::string_view snake_name,
                std::string_view value, Suits suits) {
  const auto root = json::root_place(body);
  const auto config = json::member_place(body, root, "generationConfig", "generation_config");
  if (!config || !is_kind(body, *config, '{')) {
    std::string fresh{"{\""};
    fresh.append(name).append("\":").append(value).append("}");
    if (!config)
      insert_member(body, root, "generationConfig", fresh);
    else if (config->in(body) == "null")
      replace(body, *config, fresh);
    return;
  }
  const auto present = json::member_place(body, *config, name, snake_name);
  if (!present)
    insert_member(body, *config, name, value);
  else if (!suits(present->in(body)))
    replace(body, *present, value);
}

std::string thinking_json(const thinking& t) {
  std::string text;
  json::writer w{text};
  w.begin_object();
  if (t.budget) {
    w.key("thinkingBudget");
    w.integer(*t.budget);
  }
  if (!t.level.empty())
    w.member("thinkingLevel", t.level);
  if (t.include_thoughts) {
    w.key("includeThoughts");
    w.boolean(true);
  }
  w.end_object();
  return text;
}

/// countTokens takes none of the fields that suffixes change, but may name the model once more.
void rename_counted(std::string& body, std::string_view upstream) {
  const auto root = json::root_place(body);
  const auto request =
      json::member_place(body, root, "generateContentRequest", "generate_content_request");
  if (!request || !is_kind(body, *request, '{'))
    return;
  name_model(body, *request, upstream);
}

} // namespace

json::reader& native_reader() {
  static thread_local json::reader own;
  return own;
}

void name_model(std::string& body, place object, std::string_view upstream) {
  const auto model = json::member_place(body, object, "model");
  if (!model || !is_kind(body, *model, '"'))
    return;
  std::string name;
  json::append_string(name, (upstream.starts_with(tuned) ? "" : "models/") + std::string{upstream});
  replace(body, *model, name);
}

std::variant<std::string, client_error> apply_suffixes(method what, std::string_view body,
                                                       const model_name& name,
                                                       const translation_options& options) {
  const auto parsed = native_reader().parse(body);
  if (const auto* error = std::get_if<client_error>(&parsed))
    return *error;
  if (!std::get<element>(parsed).is_object())
    return client_error{.what = fault::invalid_json,
                        .message = "The request body must be a JSON object."};
  std::string changed{body};
  if (what == method::count_tokens) {
    rename_counted(changed, name.upstream);
    return changed;
  }
  if (name.search)
    add_search(changed);
  if (name.image)
    set_config(changed, "responseModalities", "response_modalities", R"(["TEXT","IMAGE"])",
               [](std::string_view asked) { return contains(asked, "IMAGE"); });
  if (name.non_thinking) {
    // The whole object is replaced: a level beside our budget, or the reverse, is refused.
    if (const auto t = thinking_for(name, effort::none, options.thoughts); !t.empty())
      set_config(changed, "thinkingConfig", "thinking_config", thinking_json(t),
                 [](std::string_view) { return false; });
  }
  return changed;
}

} // namespace troupe::gemini
