#include "protocol/openai/chat_request_state.hpp"

#include <algorithm>

// Functions, the upstream's own tools, and which of them may be called (F1 to F5, C6, O21).

namespace troupe::openai {

using json::element;

namespace {

enum class tool_field : std::uint8_t { type, function };
constexpr json::member_names<2> tool_field_names{{{"type", "function"}}};

enum class function_field : std::uint8_t { name, description, parameters };
constexpr json::member_names<3> function_field_names{{{"name", "description", "parameters"}}};

/// Gemini wants a letter or `_` first (C6).
bool needs_prefix(std::string_view name) {
  const char first = name.empty() ? '_' : name.front();
  return !((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_');
}

/// The name in `{type:"function", function:{name}}`; empty if there is none.
std::string_view name_of_function_tool(const element& tool) {
  const auto holder = json::as_object(tool);
  const auto function = holder ? json::find_member(*holder, "function") : std::nullopt;
  const auto members = function ? json::as_object(*function) : std::nullopt;
  const auto name = members ? json::find_member(*members, "name") : std::nullopt;
  return name ? json::as_string(*name).value_or("") : std::string_view{};
}

} // namespace

bool request_translator::write_tools() {
  const auto before = out_.save();
  out_.key("tools");
  out_.begin_array();
  const auto empty = out_.save();

  const bool legacy = field(request_field::tools) == nullptr;
  const auto which = legacy ? request_field::functions : request_field::tools;
  if (const auto* value = field(which)) {
    const auto list = json::as_array(*value);
    if (!list)
      return fail(which, "must be a list.");
    std::size_t index = 0;
    for (const auto item : *list) {
      const bool written = legacy ? write_function(item, "functions[" + std::to_string(index) + "]")
                                  : write_tool(item, index);
      if (!written)
        return false;
      ++index;
    }
  }
  if (const auto* search = field(request_field::web_search_options)) {
    if (!search->is_object())
      return fail(request_field::web_search_options, "must be an object.");
    add_server_tool(server_tool::search);
  }
  if (model_.search)
    add_server_tool(server_tool::search);

  if (has_functions_) { // the upstream refuses its own tools beside functions (F5)
    out_.end_array();
    out_.end_object();
  } else {
    write_server_tools();
  }
  if (out_.save().size == empty.size)
    out_.restore(before);
  else
    out_.end_array();
  return true;
}

bool request_translator::write_tool(const element& tool, std::size_t index) {
  const auto path = [index](std::string_view member) {
    return "tools[" + std::to_string(index) + "]" + std::string(member);
  };
  const auto object = json::as_object(tool);
  if (!object)
    return fail(path(""), "A tool must be an object.");
  const json::members<tool_field, 2> known{*object, tool_field_names};
  const auto* function = known[tool_field::function];
  const auto* type = known[tool_field::type];
  const auto name = type ? json::as_string(*type) : std::nullopt;
  if (name == "function" || (type == nullptr && function != nullptr)) {
    if (function == nullptr)
      return fail(path(".function"), "'function' is required.");
    return write_function(*function, path(".function"));
  }
  if (name == "web_search" || name == "web_search_preview" || name == "google_search")
    add_server_tool(server_tool::search);
  else if (name == "code_interpreter" || name == "code_execution")
    add_server_tool(server_tool::code);
  else if (name == "url_context")
    add_server_tool(server_tool::url_context);
  else
    return fail(path(".type"), name ? "The tool type '" + std::string(*name) + "' is not supported."
                                    : "'type' is required and must be a string.");
  return true;
}

bool request_translator::write_function(const element& function, const std::string& path) {
  const auto object = json::as_object(function);
  if (!object)
    return fail(path, "A function must be an object.");
  const json::members<function_field, 3> known{*object, function_field_names};
  const auto* name_value = known[function_field::name];
  const auto name = name_value ? json::as_string(*name_value).value_or("") : std::string_view{};
  if (name.empty())
    return fail(path + ".name", "'name' is required and must be a string.");
  const auto* description = known[function_field::description];
  if (description != nullptr && !description->is_string())
    return fail(path + ".description", "'description' must be a string.");
  const auto* parameters = known[function_field::parameters];
  if (parameters != nullptr && !parameters->is_object())
    return fail(path + ".parameters", "'parameters' must be an object.");
  if (name == "googleSearch") {
    add_server_tool(server_tool::search);
    return true;
  }
  if (!is_new_function(name))
    return true;
  if (needs_prefix(name))
    facts_.prefixed_functions.emplace_back(name);
  if (!has_functions_) {
    out_.begin_object();
    out_.key("functionDeclarations");
    out_.begin_array();
    has_functions_ = true;
  }
  out_.begin_object();
  write_function_name("name", name);
  if (description != nullptr)
    out_.member("description", description->get_string().value_unsafe());
  if (parameters != nullptr
      && !write_schema(*parameters, "parameters", "parametersJsonSchema", true,
                       path + ".parameters"))
    return false;
  out_.end_object();
  return true;
}

bool request_translator::write_schema(const element& schema, const json::plain_key& subset,
                                      const json::plain_key& full, bool optional,
                                      const std::string& path) {
  const schema_target target{.subset = subset,
                             .json_schema = full,
                             .optional = optional,
                             .mode = options_.schemas,
                             .made = model_.made};
  if (scratch_.schemas.write(out_, schema, target, budget_) != schema_result::too_large)
    return true;
  return fail(path, "The schema is too large once its references are resolved.");
}

/// The first function of a name wins (F1).
bool request_translator::is_new_function(std::string_view name) {
  constexpr std::size_t linear_max = 32;
  auto& names = scratch_.function_names;
  auto& many = scratch_.many_function_names;
  if (names.size() < linear_max) {
    if (std::find(names.begin(), names.end(), name) != names.end())
      return false;
    names.push_back(name);
    return true;
  }
  if (many.empty())
    many.insert(names.begin(), names.end());
  return many.insert(name).second;
}

void request_translator::add_server_tool(server_tool which) {
  if (std::find(server_tools_.begin(), server_tools_.end(), which) == server_tools_.end())
    server_tools_.push_back(which);
}

void request_translator::write_server_tools() {
  for (const auto tool : server_tools_)
    switch (tool) {
    case server_tool::search:
      out_.raw(R"({"googleSearch":{}})");
      break;
    case server_tool::code:
      out_.raw(R"({"codeExecution":{}})");
      break;
    case server_tool::url_context:
      out_.raw(R"({"urlContext":{}})");
      break;
    }
}

void request_translator::write_function_name(const json::plain_key& key, std::string_view name) {
  out_.key(key);
  append_function_name(name);
}

void request_translator::append_function_name(std::string_view name) {
  out_.begin_string();
  if (needs_prefix(name))
    out_.string_piece("_");
  out_.string_piece(name);
  out_.end_string();
}

bool request_translator::write_tool_choice() {
  const bool legacy = field(request_field::tool_choice) == nullptr;
  const auto which = legacy ? request_field::function_call : request_field::tool_choice;
  const auto* choice = field(which);
  if (choice == nullptr)
    return true;
  const auto before = out_.save();
  out_.key("toolConfig");
  out_.begin_object();
  out_.key("functionCallingConfig");
  out_.begin_object();
  if (!write_choice(*choice, which))
    return false;
  out_.end_object();
  out_.end_object();
  if (!has_functions_)
    out_.restore(before);
  return true;
}

/// The members of `functionCallingConfig` (F3).
bool request_translator::write_choice(const element& choice, request_field which) {
  enum class choice_field : std::uint8_t { type, allowed_tools, name };
  static constexpr json::member_names<3> names{{{"type", "allowed_tools", "name"}}};
  if (const auto word = json::as_string(choice)) {
    if (*word != "auto" && *word != "none" && *word != "required")
      return fail(which, "must be 'none', 'auto', 'required' or an object.");
    out_.member("mode", *word == "auto" ? "AUTO" : *word == "none" ? "NONE" : "ANY");
    return true;
  }
  const auto object = json::as_object(choice);
  if (!object)
    return fail(which, "must be a string or an object.");
  const json::members<choice_field, 3> known{*object, names};
  const std::string path{request_field_names[static_cast<std::size_t>(which)]};
  if (which == request_field::function_call) {
    const auto* name = known[choice_field::name];
    return write_chosen_function(name ? json::as_string(*name).value_or("") : "", path + ".name");
  }
  const auto* type = known[choice_field::type];
  const auto kind = type ? json::as_string(*type) : std::nullopt;
  if (kind == "allowed_tools")
    return write_allowed_tools(known[choice_field::allowed_tools]);
  if (kind != "function")
    return fail(path + ".type", "'type' must be 'function' or 'allowed_tools'.");
  return write_chosen_function(name_of_function_tool(choice), path + ".function.name");
}

bool request_translator::write_chosen_function(std::string_view name, const std::string& path) {
  if (name.empty())
    return fail(path, "'name' is required and must be a string.");
  out_.member("mode", "ANY");
  out_.key("allowedFunctionNames");
  out_.begin_array();
  append_function_name(name);
  out_.end_array();
  return true;
}

bool request_translator::write_allowed_tools(const element* allowed) {
  const std::string path = "tool_choice.allowed_tools";
  const auto object = allowed ? json::as_object(*allowed) : std::nullopt;
  if (!object)
    return fail(path, "'allowed_tools' is required and must be an object.");
  const auto mode_value = json::find_member(*object, "mode");
  const auto mode = mode_value ? json::as_string(*mode_value) : std::nullopt;
  if (mode != "auto" && mode != "required")
    return fail(path + ".mode", "'mode' must be 'auto' or 'required'.");
  const auto tools_value = json::find_member(*object, "tools");
  const auto tools = tools_value ? json::as_array(*tools_value) : std::nullopt;
  if (!tools)
    return fail(path + ".tools", "'tools' is required and must be a list.");
  out_.member("mode", mode == "auto" ? "AUTO" : "ANY");
  const auto before = out_.save();
  out_.key("allowedFunctionNames");
  out_.begin_array();
  std::size_t index = 0;
  for (const auto tool : *tools) {
    const auto name = name_of_function_tool(tool);
    if (name.empty())
      return fail(path + ".tools[" + std::to_string(index) + "]",
                  "An allowed tool must be a function with a name.");
    append_function_name(name);
    ++index;
  }
  out_.end_array();
  if (mode == "auto" || index == 0) // names go with ANY only, and never as an empty list
    out_.restore(before);
  return true;
}

} // namespace troupe::openai
