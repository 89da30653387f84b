#include "protocol/gemini/native_body.hpp"

#include "protocol/gemini/native_target.hpp"
#include "protocol/json/writer.hpp"

#include <algorithm>
#include <array>

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

/// `files/ID` of a URI below the Files API of any version, or of a bare name; else nothing.
std::string file_name(std::string_view uri) {
  constexpr std::string_view collection = "files/";
  std::size_t at = 0;
  if (!uri.starts_with(collection)) {
    at = uri.find("/files/");
    if (at == uri.npos || at == 0 || !uri.substr(uri.rfind('/', at - 1) + 1).starts_with("v1"))
      return {};
    ++at;
  }
  auto name = uri.substr(at);
  const auto end = std::find_if(name.begin() + collection.size(), name.end(), [](char c) {
    return c == '/' || c == '?' || c == '#' || c == ':';
  });
  name = name.substr(0, static_cast<std::size_t>(end - name.begin()));
  return name.size() > collection.size() ? std::string{name} : std::string{};
}

/// Whether `text`, behind a quote, is `key` up to its closing quote, or may be: an escaped letter
/// is not read here.
bool may_be(std::string_view text, std::string_view key) {
  for (std::size_t i = 0; i < key.size(); ++i)
    if (i >= text.size() || text[i] != key[i]) {
      const auto odd = text.substr(std::min(i, text.size()));
      return odd.starts_with("\\u00") && odd.size() > 4 && odd[4] >= '2' && odd[4] <= '7';
    }
  return true;
}

/// Whether a member that can pin is named anywhere: most bodies name none and are then not
/// parsed. Members are looked for, not values, which may be escaped (`\/`). From quote to quote,
/// so that megabytes of base64 cost one memchr.
bool may_pin(std::string_view body) {
  static constexpr std::array<std::string_view, 4> keys{"fileUri\"", "file_uri\"",
                                                        "cachedContent\"", "cached_content\""};
  for (auto at = body.find('"'); at != body.npos; at = body.find('"', at + 1)) {
    const auto rest = body.substr(at + 1);
    if (rest.empty() || (rest.front() != 'f' && rest.front() != 'c' && rest.front() != '\\'))
      continue;
    if (std::any_of(keys.begin(), keys.end(),
                    [rest](std::string_view key) { return may_be(rest, key); }))
      return true;
  }
  return false;
}

void collect_pins(const element& value, std::vector<std::string>& names) {
  const auto add = [&names](std::string name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  };
  if (const auto list = json::as_array(value)) {
    for (const element item : *list)
      collect_pins(item, names);
    return;
  }
  const auto object = json::as_object(value);
  if (!object)
    return;
  for (const auto field : *object) {
    const auto text = json::as_string(field.value);
    if (!text)
      collect_pins(field.value, names);
    else if (field.key == "fileUri" || field.key == "file_uri")
      add(file_name(*text));
    else if ((field.key == "cachedContent" || field.key == "cached_content")
             && text->starts_with("cachedContents/"))
      add(std::string{*text});
  }
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

std::vector<std::string> pinned_resources(std::string_view request_body) {
  std::vector<std::string> names;
  if (!may_pin(request_body))
    return names;
  const auto parsed = native_reader().parse(request_body);
  if (const auto* root = std::get_if<element>(&parsed))
    collect_pins(*root, names);
  return names;
}

} // namespace troupe::gemini
