#include "sandbox/gemini_shapes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <vector>

namespace sandbox {

namespace {

/// One line per message; `name:type`, where a type is a scalar, another message,
/// `a|b|c` for an enumeration, and `[...]` or `{...}` for lists and maps.
/// `-` in front marks what only the Gemini API knows, not Vertex.
constexpr std::string_view shapes = R"(
GenerateContentRequest model:string contents:[Content] systemInstruction:Content tools:[Tool] toolConfig:ToolConfig safetySettings:[SafetySetting] generationConfig:GenerationConfig cachedContent:string labels:{string} serviceTier:string store:bool continuationToken:string
CountTokensRequest model:string contents:[Content] -generateContentRequest:GenerateContentRequest systemInstruction:Content tools:[Tool] generationConfig:GenerationConfig
Content role:string parts:[Part]
Part text:string inlineData:Blob fileData:FileData functionCall:FunctionCall functionResponse:FunctionResponse executableCode:ExecutableCode codeExecutionResult:CodeExecutionResult toolCall:any toolResponse:any thought:bool thoughtSignature:bytes videoMetadata:VideoMetadata mediaResolution:MediaResolution partMetadata:object
Blob mimeType:string data:bytes displayName:string
FileData mimeType:string fileUri:string displayName:string
FunctionCall -id:string name:string args:object
FunctionResponse -id:string name:string response:object parts:[FunctionResponsePart] willContinue:bool scheduling:string
FunctionResponsePart inlineData:Blob fileData:FileData
ExecutableCode language:LANGUAGE_UNSPECIFIED|PYTHON code:string id:string
CodeExecutionResult outcome:OUTCOME_UNSPECIFIED|OUTCOME_OK|OUTCOME_FAILED|OUTCOME_DEADLINE_EXCEEDED output:string id:string
VideoMetadata startOffset:string endOffset:string fps:number
MediaResolution level:MEDIA_RESOLUTION_UNSPECIFIED|MEDIA_RESOLUTION_LOW|MEDIA_RESOLUTION_MEDIUM|MEDIA_RESOLUTION_HIGH|MEDIA_RESOLUTION_ULTRA_HIGH numTokens:int
Tool functionDeclarations:[FunctionDeclaration] googleSearch:any googleSearchRetrieval:any codeExecution:Empty urlContext:any googleMaps:any fileSearch:any computerUse:any
Empty
FunctionDeclaration name:string description:string parameters:Schema parametersJsonSchema:any response:Schema responseJsonSchema:any behavior:UNSPECIFIED|BLOCKING|NON_BLOCKING
ToolConfig functionCallingConfig:FunctionCallingConfig retrievalConfig:any includeServerSideToolInvocations:bool
FunctionCallingConfig mode:MODE_UNSPECIFIED|AUTO|ANY|NONE|VALIDATED allowedFunctionNames:[string]
SafetySetting category:HARM_CATEGORY_HARASSMENT|HARM_CATEGORY_HATE_SPEECH|HARM_CATEGORY_SEXUALLY_EXPLICIT|HARM_CATEGORY_DANGEROUS_CONTENT|HARM_CATEGORY_CIVIC_INTEGRITY threshold:HARM_BLOCK_THRESHOLD_UNSPECIFIED|BLOCK_LOW_AND_ABOVE|BLOCK_MEDIUM_AND_ABOVE|BLOCK_ONLY_HIGH|BLOCK_NONE|OFF
GenerationConfig temperature:number topP:number topK:number candidateCount:int maxOutputTokens:int stopSequences:[string] seed:int32 presencePenalty:number frequencyPenalty:number responseLogprobs:bool logprobs:int responseMimeType:string responseSchema:Schema responseJsonSchema:any responseModalities:[MODALITY_UNSPECIFIED|TEXT|IMAGE|AUDIO] speechConfig:SpeechConfig imageConfig:ImageConfig mediaResolution:MEDIA_RESOLUTION_UNSPECIFIED|MEDIA_RESOLUTION_LOW|MEDIA_RESOLUTION_MEDIUM|MEDIA_RESOLUTION_HIGH thinkingConfig:ThinkingConfig enableEnhancedCivicAnswers:bool
ThinkingConfig includeThoughts:bool thinkingBudget:int32 thinkingLevel:THINKING_LEVEL_UNSPECIFIED|MINIMAL|LOW|MEDIUM|HIGH
ImageConfig aspectRatio:string imageSize:string
SpeechConfig voiceConfig:VoiceConfig multiSpeakerVoiceConfig:MultiSpeakerVoiceConfig languageCode:string
VoiceConfig prebuiltVoiceConfig:PrebuiltVoiceConfig
PrebuiltVoiceConfig voiceName:string
MultiSpeakerVoiceConfig speakerVoiceConfigs:[SpeakerVoiceConfig]
SpeakerVoiceConfig speaker:string voiceConfig:VoiceConfig
Schema type:TYPE_UNSPECIFIED|STRING|NUMBER|INTEGER|BOOLEAN|ARRAY|OBJECT|NULL|string|number|integer|boolean|array|object|null format:string title:string description:string nullable:bool enum:[string] items:Schema minItems:int maxItems:int properties:{Schema} required:[string] minProperties:int maxProperties:int minLength:int maxLength:int pattern:string minimum:number maximum:number anyOf:[Schema] propertyOrdering:[string] default:any example:any
)";

struct field {
  std::string type;
  char many = ' '; ///< '[' a list, '{' a map
  bool gemini_only = false;
};

using message = std::map<std::string, field, std::less<>>;

std::map<std::string, message, std::less<>> read_shapes() {
  std::map<std::string, message, std::less<>> all;
  std::istringstream lines{std::string{shapes}};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string name, word;
    if (!(words >> name))
      continue;
    auto& m = all[name];
    while (words >> word) {
      field f;
      f.gemini_only = word.front() == '-';
      const auto colon = word.find(':');
      const auto field_name = word.substr(f.gemini_only ? 1 : 0, colon - (f.gemini_only ? 1 : 0));
      f.type = word.substr(colon + 1);
      if (f.type.front() == '[' || f.type.front() == '{') {
        f.many = f.type.front();
        f.type = f.type.substr(1, f.type.size() - 2);
      }
      m.emplace(field_name, std::move(f));
    }
  }
  return all;
}

const std::map<std::string, message, std::less<>>& all_shapes() {
  static const auto all = read_shapes();
  return all;
}

std::string snake_of(std::string_view name) {
  std::string s;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0)
      s += '_';
    s += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return s;
}

bool is_whole(const json& v) {
  if (v.is_number_integer())
    return true;
  if (v.is_number_float())
    return v.get<double>() == static_cast<double>(static_cast<std::int64_t>(v.get<double>()));
  const auto* s = v.get_ptr<const std::string*>(); // protobuf takes "12" for 12
  return s != nullptr && !s->empty() && s->find_first_not_of("-0123456789") == std::string::npos;
}

bool is_base64(const std::string& s) {
  return std::all_of(s.begin(), s.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
  });
}

bool fits(const json& v, const std::string& type) {
  if (type == "any")
    return true;
  if (type == "object")
    return v.is_object();
  if (type == "string")
    return v.is_string();
  if (type == "bool")
    return v.is_boolean();
  if (type == "number")
    return v.is_number();
  if (type == "int")
    return is_whole(v);
  if (type == "int32")
    return is_whole(v) && (!v.is_number() || std::abs(v.get<double>()) <= 2147483647.0);
  if (type == "bytes")
    return v.is_string() && is_base64(v.get_ref<const std::string&>());
  // An enumeration: its words, or protobuf's numbers.
  if (v.is_number_integer())
    return true;
  if (!v.is_string())
    return false;
  return ("|" + type + "|").find("|" + v.get<std::string>() + "|") != std::string::npos;
}

const char* google_type(const std::string& type) {
  if (type == "string")
    return "TYPE_STRING";
  if (type == "bool")
    return "TYPE_BOOL";
  if (type == "number")
    return "TYPE_FLOAT";
  if (type == "int" || type == "int32")
    return "TYPE_INT32";
  if (type == "bytes")
    return "TYPE_BYTES";
  if (type == "object")
    return "type.googleapis.com/google.protobuf.Struct";
  return "TYPE_ENUM";
}

class checker {
public:
  explicit checker(bool vertex) : vertex_(vertex) {}

  std::optional<fault> value(const json& v, const std::string& type, const std::string& path) {
    const auto shape = all_shapes().find(type);
    if (shape != all_shapes().end())
      return whole(v, shape->second, path);
    if (fits(v, type))
      return {};
    return wrong_value(v, google_type(type), path);
  }

  std::optional<fault> whole(const json& v, const message& m, const std::string& path) {
    if (!v.is_object())
      return wrong_value(v, "TYPE_MESSAGE", path);
    for (const auto& [name, inner] : v.items()) {
      const auto found = m.find(camel_of(name));
      if (found == m.end() || (vertex_ && found->second.gemini_only))
        return unknown(name, path);
      if (inner.is_null())
        continue; // protobuf: as if absent
      const auto here = path.empty() ? snake_of(name) : path + "." + snake_of(name);
      if (auto bad = many(inner, found->second, here))
        return bad;
    }
    return {};
  }

private:
  std::optional<fault> many(const json& v, const field& f, const std::string& path) {
    if (f.many == ' ')
      return value(v, f.type, path);
    if (f.many == '{') {
      if (!v.is_object())
        return wrong_value(v, "TYPE_MESSAGE", path);
      for (const auto& [name, inner] : v.items())
        if (auto bad = value(inner, f.type, path + "[" + json(name).dump() + "]"))
          return bad;
      return {};
    }
    if (!v.is_array()) // protobuf takes one value for a list of one
      return value(v, f.type, path);
    for (std::size_t i = 0; i < v.size(); ++i)
      if (auto bad = value(v[i], f.type, path + "[" + std::to_string(i) + "]"))
        return bad;
    return {};
  }

  static fault unknown(const std::string& name, const std::string& path) {
    const auto at = path.empty() ? "" : " at '" + path + "'";
    return bad_request("Invalid JSON payload received. Unknown name \"" + name + "\"" + at
                           + ": Cannot find field.",
                       path);
  }

  static fault wrong_value(const json& v, const char* type, const std::string& path) {
    return bad_request("Invalid value at '" + path + "' (" + type + "), "
                           + v.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 200),
                       path);
  }

  bool vertex_;
};

} // namespace

std::string camel_of(std::string_view name) {
  std::string s;
  bool up = false;
  for (const char c : name) {
    if (c == '_' && !s.empty()) {
      up = true;
      continue;
    }
    s += up ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    up = false;
  }
  return s;
}

const json* member(const json& object, std::string_view camel_name) {
  if (!object.is_object())
    return nullptr;
  for (const auto& [name, value] : object.items())
    if (!value.is_null()
        && (name == camel_name || (name.find('_') != name.npos && camel_of(name) == camel_name)))
      return &value;
  return nullptr;
}

std::optional<fault> check_shape(const json& body, std::string_view message, bool vertex) {
  if (!body.is_object())
    return bad_request("Invalid JSON payload received. Expected an object.");
  return checker{vertex}.whole(body, all_shapes().find(message)->second, "");
}

} // namespace sandbox
