#include "sandbox/gemini_rules.hpp"

#include "sandbox/gemini_shapes.hpp"
#include "sandbox/models.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <vector>

namespace sandbox {

namespace {

using verdict = std::optional<fault>;

constexpr std::array data_fields = {
    "text",           "inlineData",          "fileData", "functionCall", "functionResponse",
    "executableCode", "codeExecutionResult", "toolCall", "toolResponse"};

std::string at(const char* what, std::size_t i) {
  return std::string{what} + "[" + std::to_string(i) + "]";
}

const json& parts_of(const json& content) {
  static const json none = json::array();
  const auto* parts = member(content, "parts");
  return parts != nullptr && parts->is_array() ? *parts : none;
}

std::string text_of(const json* v) {
  return v != nullptr && v->is_string() ? v->get<std::string>() : std::string{};
}

std::vector<const json*> with(const json& content, std::string_view data) {
  std::vector<const json*> found;
  for (const auto& p : parts_of(content))
    if (const auto* v = member(p, data))
      found.push_back(v);
  return found;
}

verdict check_part(const json& part, const std::string& path) {
  int data = 0;
  const char* last = "";
  for (const auto* name : data_fields)
    if (member(part, name) != nullptr) {
      ++data;
      last = name;
    }
  if (data > 1)
    return bad_request("Invalid value at '" + path
                           + "' (oneof), oneof field 'data' is already set. Cannot set '" + last
                           + "'",
                       path);
  if (data == 0 && member(part, "thoughtSignature") == nullptr)
    return bad_request("* GenerateContentRequest." + path
                       + ".data: required oneof field 'data' must have one initialized field\n");
  return {};
}

verdict check_contents(const json& body) {
  const auto* contents = member(body, "contents");
  if (contents == nullptr || !contents->is_array() || contents->empty())
    return bad_request("* GenerateContentRequest.contents: contents is not specified\n");
  for (std::size_t i = 0; i < contents->size(); ++i) {
    const auto& c = (*contents)[i];
    const auto role = text_of(member(c, "role"));
    if (!role.empty() && role != "user" && role != "model" && role != "function")
      return bad_request("Please use a valid role: user, model.");
    if (parts_of(c).empty())
      return bad_request("* GenerateContentRequest." + at("contents", i)
                         + ".parts: contents.parts must not be empty.\n");
    for (std::size_t j = 0; j < parts_of(c).size(); ++j)
      if (auto bad = check_part(parts_of(c)[j], at("contents", i) + "." + at("parts", j)))
        return bad;
  }
  return {};
}

verdict check_system(const json& body, std::string_view model) {
  const auto* system = member(body, "systemInstruction");
  if (system == nullptr)
    return {};
  if (parts_of(*system).empty())
    return bad_request("* GenerateContentRequest.system_instruction.parts: must not be empty.\n");
  for (const auto& p : parts_of(*system))
    if (member(p, "text") == nullptr)
      return bad_request("System instruction can only contain text parts.");
  if (model.starts_with("gemma-") || facts_of(model).speaks)
    return bad_request("Developer instruction is not enabled for models/" + std::string{model});
  return {};
}

/// Calls and their responses: as many, in order, at the right place.
verdict check_turns(const json& contents) {
  std::vector<const json*> open;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const auto& c = contents[i];
    const auto responses = with(c, "functionResponse");
    if (!open.empty() || !responses.empty()) {
      if (open.size() != responses.size())
        return bad_request("Please ensure that the number of function response parts is equal to "
                           "the number of function call parts of the function call turn.");
      for (std::size_t j = 0; j < open.size(); ++j) {
        const auto name = text_of(member(*responses[j], "name"));
        if (std::none_of(open.begin(), open.end(),
                         [&](const json* call) { return text_of(member(*call, "name")) == name; }))
          return bad_request("The function response \"" + name
                             + "\" answers no function call of the turn before.");
      }
    }
    open = with(c, "functionCall");
    const bool first = i == 0;
    const auto before = first ? std::string{} : text_of(member(contents[i - 1], "role"));
    if (!open.empty() && (first || before == "model"))
      return bad_request(
          "Please ensure that function call turn comes immediately after a user turn "
          "or after a function response turn.");
  }
  if (!open.empty())
    return bad_request("Please ensure that the number of function response parts is equal to the "
                       "number of function call parts of the function call turn.");
  return {};
}

bool is_our_signature(const std::string& s) {
  // Base64 of whole groups of three bytes can be compared without decoding.
  static const auto mark = base64(signature_mark.substr(0, signature_mark.size() / 3 * 3));
  return s.starts_with(mark);
}

/// From generation 3 on, the first call of each step of the current turn must
/// come back with its signature.
verdict check_signatures(const json& contents, std::string_view model) {
  if (generation_of(model) < generation{3, 0})
    return {};
  std::size_t turn_begins = 0;
  for (std::size_t i = 0; i < contents.size(); ++i)
    if (text_of(member(contents[i], "role")) != "model"
        && with(contents[i], "functionResponse").empty())
      turn_begins = i;
  for (std::size_t i = turn_begins; i < contents.size(); ++i)
    for (const auto& p : parts_of(contents[i])) {
      const auto* call = member(p, "functionCall");
      if (call == nullptr)
        continue;
      const auto signature = text_of(member(p, "thoughtSignature"));
      if (signature.empty())
        return bad_request(
            "Function call is missing a thought_signature in functionCall parts. This is required "
            "for tools to work correctly, and missing thought_signature may lead to degraded model "
            "performance. Additional data, function call `default_api:"
            + text_of(member(*call, "name")) + "` , position " + std::to_string(i + 1)
            + ". Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more "
              "details.");
      if (signature != "skip_thought_signature_validator" && !is_our_signature(signature))
        return bad_request("Thought signature is not valid.");
      break; // parallel calls after the first have none
    }
  return {};
}

bool is_function_name(const std::string& s) {
  const auto good = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == ':' || c == '-';
  };
  return !s.empty() && s.size() <= 128
         && (std::isalpha(static_cast<unsigned char>(s[0])) != 0 || s[0] == '_')
         && std::all_of(s.begin(), s.end(), good);
}

std::string upper(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return s;
}

verdict check_schema(const json& s, const std::string& path) {
  const auto type = upper(text_of(member(s, "type")));
  const auto complain = [&](const std::string& where, const std::string& why) {
    return bad_request("* GenerateContentRequest." + path + where + ": " + why + "\n");
  };
  if (type.empty() && member(s, "anyOf") == nullptr)
    return complain(".type", "must be specified");
  const auto* properties = member(s, "properties");
  if (type == "OBJECT" && (properties == nullptr || properties->empty()))
    return complain(".properties", "should be non-empty for OBJECT type");
  if (type == "ARRAY" && member(s, "items") == nullptr)
    return complain(".items", "missing field.");
  if (member(s, "enum") != nullptr && type != "STRING")
    return complain(".enum", "only allowed for STRING type");
  if (const auto* required = member(s, "required"))
    for (const auto& name : *required)
      if (properties == nullptr || !properties->contains(name.get<std::string>()))
        return complain(".required", "property is not defined");
  if (const auto* items = member(s, "items"))
    if (auto bad = check_schema(*items, path + ".items"))
      return bad;
  if (const auto* any = member(s, "anyOf"))
    for (std::size_t i = 0; i < any->size(); ++i)
      if (auto bad = check_schema((*any)[i], path + "." + at("any_of", i)))
        return bad;
  if (properties != nullptr)
    for (const auto& [name, inner] : properties->items())
      if (auto bad = check_schema(inner, path + ".properties[" + name + "]"))
        return bad;
  return {};
}

verdict check_function(const json& f, const std::string& path, std::set<std::string>& names) {
  const auto name = text_of(member(f, "name"));
  if (!is_function_name(name))
    return bad_request("* GenerateContentRequest." + path
                       + ".name: Invalid function name. Must start with a letter or an underscore. "
                         "Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons "
                         "(:), or dashes (-), with a maximum length of 128.\n");
  if (!names.insert(name).second)
    return bad_request("Duplicate function declaration found: " + name);
  const auto* parameters = member(f, "parameters");
  if (parameters != nullptr && member(f, "parametersJsonSchema") != nullptr)
    return bad_request("Only one of parameters and parameters_json_schema may be set for " + name);
  return parameters == nullptr ? verdict{} : check_schema(*parameters, path + ".parameters");
}

verdict check_tools(const json& body, bool& has_functions) {
  const auto* tools = member(body, "tools");
  std::set<std::string> names;
  if (tools != nullptr && tools->is_array())
    for (std::size_t i = 0; i < tools->size(); ++i) {
      const auto* list = member((*tools)[i], "functionDeclarations");
      if (list == nullptr || !list->is_array())
        continue;
      for (std::size_t j = 0; j < list->size(); ++j)
        if (auto bad = check_function((*list)[j],
                                      at("tools", i) + "." + at("function_declarations", j), names))
          return bad;
    }
  has_functions = !names.empty();
  const auto* config = member(body, "toolConfig");
  const auto* calling = config == nullptr ? nullptr : member(*config, "functionCallingConfig");
  const auto* allowed = calling == nullptr ? nullptr : member(*calling, "allowedFunctionNames");
  if (allowed == nullptr)
    return {};
  const auto mode = text_of(member(*calling, "mode"));
  if (mode != "ANY" && mode != "VALIDATED")
    return bad_request("Please set allowed_function_names only when function calling mode is ANY.");
  for (const auto& name : *allowed)
    if (!names.contains(name.get<std::string>()))
      return bad_request("allowed_function_names contains \"" + name.get<std::string>()
                         + "\", which is not declared.");
  return {};
}

double number_of(const json* v, double otherwise) {
  return v != nullptr && v->is_number() ? v->get<double>() : otherwise;
}

verdict check_thinking(const json& config, std::string_view model) {
  const auto* thinking = member(config, "thinkingConfig");
  if (thinking == nullptr)
    return {};
  const auto* budget = member(*thinking, "thinkingBudget");
  const auto* level = member(*thinking, "thinkingLevel");
  if (budget != nullptr && level != nullptr)
    return bad_request("You can only set only one of thinking budget and thinking level.");
  const auto g = generation_of(model);
  if (level != nullptr && g < generation{3, 0})
    return bad_request("Thinking level is not supported for this model.");
  if (budget != nullptr && g < generation{2, 5})
    return bad_request("Thinking is not supported for this model.");
  if (budget != nullptr && model.starts_with("gemini-2.5-pro")) {
    const auto b = number_of(budget, 0);
    if (b == 0)
      return bad_request("Budget 0 is invalid. This model only works in thinking mode.");
    if (b != -1 && (b < 128 || b > 32768))
      return bad_request("The thinking budget is invalid. Please choose a value between 128 and "
                         "32768.");
  } else if (budget != nullptr && g == generation{2, 5} && number_of(budget, 0) > 24576) {
    return bad_request(
        "The thinking budget is invalid. Please choose a value between 0 and 24576.");
  }
  return {};
}

verdict check_config(const json& body, std::string_view model, bool has_functions) {
  const auto* config = member(body, "generationConfig");
  if (config == nullptr)
    return {};
  const auto range = [&](const char* name, const char* said, double low, double high) -> verdict {
    const auto v = number_of(member(*config, name), low);
    if (v >= low && v <= high)
      return {};
    return bad_request("* GenerateContentRequest.generation_config." + std::string{said}
                       + ": must be in the range [" + std::to_string(static_cast<int>(low)) + ", "
                       + std::to_string(static_cast<int>(high)) + "].\n");
  };
  if (auto bad = range("temperature", "temperature", 0, 2))
    return bad;
  if (auto bad = range("topP", "top_p", 0, 1))
    return bad;
  if (auto bad = range("candidateCount", "candidate_count", 1, 8))
    return bad;
  if (auto bad = range("logprobs", "logprobs", 0, 20))
    return bad;
  const auto* stops = member(*config, "stopSequences");
  if (stops != nullptr && stops->is_array() && stops->size() > 5)
    return bad_request("The number of stop sequences must be at most 5.");
  const bool penalty = member(*config, "presencePenalty") != nullptr
                       || member(*config, "frequencyPenalty") != nullptr;
  if (penalty && generation_of(model) == generation{2, 5})
    return bad_request("Penalty is not enabled for models/" + std::string{model});
  if (member(*config, "responseSchema") != nullptr
      && member(*config, "responseJsonSchema") != nullptr)
    return bad_request("Only one of response_schema and response_json_schema may be set.");
  const auto mime = text_of(member(*config, "responseMimeType"));
  if (!mime.empty() && mime != "text/plain" && mime != "application/json" && mime != "text/x.enum")
    return bad_request("* GenerateContentRequest.generation_config.response_mime_type: allowed "
                       "mimetypes are `text/plain`, `application/json` and `text/x.enum`.\n");
  if (mime == "application/json" && has_functions && generation_of(model) < generation{3, 0})
    return bad_request("Function calling with a response mime type: 'application/json' is "
                       "unsupported");
  if (const auto* schema = member(*config, "responseSchema")) {
    if (mime != "application/json" && mime != "text/x.enum")
      return bad_request("* GenerateContentRequest.generation_config.response_schema: only allowed "
                         "with a JSON response mime type.\n");
    if (auto bad = check_schema(*schema, "generation_config.response_schema"))
      return bad;
  }
  return check_thinking(*config, model);
}

verdict check_cache(const json& body) {
  if (member(body, "cachedContent") == nullptr)
    return {};
  for (const auto* name : {"systemInstruction", "tools", "toolConfig"})
    if (member(body, name) != nullptr)
      return bad_request("CachedContent can not be used with GenerateContent request setting "
                         "system_instruction, tools or tool_config.");
  return {};
}

verdict check_safety(const json& body) {
  const auto* settings = member(body, "safetySettings");
  std::set<std::string> seen;
  if (settings != nullptr)
    for (const auto& s : *settings)
      if (!seen.insert(text_of(member(s, "category"))).second)
        return bad_request("Request contains duplicate safety settings.");
  return {};
}

} // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j > bytes.size() ? '=' : digits[group >> (18 - 6 * j) & 63];
  }
  return out;
}

verdict check_rules(const json& body, std::string_view model) {
  bool has_functions = false;
  if (auto bad = check_contents(body))
    return bad;
  if (auto bad = check_system(body, model))
    return bad;
  const auto& contents = *member(body, "contents");
  if (auto bad = check_turns(contents))
    return bad;
  if (auto bad = check_signatures(contents, model))
    return bad;
  if (auto bad = check_tools(body, has_functions))
    return bad;
  if (auto bad = check_config(body, model, has_functions))
    return bad;
  if (auto bad = check_cache(body))
    return bad;
  return check_safety(body);
}

} // namespace sandbox
