#include "sandbox/models.hpp"

#include <nlohmann/json.hpp>

#include <cctype>

namespace sandbox {

const std::vector<model_facts>& gemini_models() {
  static const std::vector<model_facts> all = {
      {"gemini-2.0-flash", "Gemini 2.0 Flash", false, false, false},
      {"gemini-2.5-flash", "Gemini 2.5 Flash", true, false, false},
      {"gemini-2.5-flash-image", "Gemini 2.5 Flash Image", false, true, false},
      {"gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", true, false, false},
      {"gemini-2.5-flash-preview-tts", "Gemini 2.5 Flash Preview TTS", false, false, true},
      {"gemini-2.5-pro", "Gemini 2.5 Pro", true, false, false},
      {"gemini-3-flash-preview", "Gemini 3 Flash Preview", true, false, false},
      {"gemini-3-pro-image-preview", "Gemini 3 Pro Image Preview", true, true, false},
      {"gemini-3-pro-preview", "Gemini 3 Pro Preview", true, false, false},
      {"gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", true, false, false},
      {"gemini-flash-latest", "Gemini Flash Latest", true, false, false},
      {"gemini-flash-lite-latest", "Gemini Flash-Lite Latest", true, false, false},
      {"gemini-pro-latest", "Gemini Pro Latest", true, false, false},
      {"gemma-3-27b-it", "Gemma 3 27B", false, false, false},
  };
  return all;
}

bool is_gemini_model(std::string_view name) {
  for (const auto& m : gemini_models())
    if (m.name == name)
      return true;
  return false;
}

model_facts facts_of(std::string_view name) {
  for (const auto& m : gemini_models())
    if (m.name == name)
      return m;
  return {name, name, true, name.find("-image") != name.npos, name.find("-tts") != name.npos};
}

generation generation_of(std::string_view model) {
  constexpr std::string_view prefix = "gemini-";
  if (!model.starts_with(prefix))
    return {2, 0};
  model.remove_prefix(prefix.size());
  if (model.ends_with("-latest"))
    return {3, 1};
  if (model.empty() || std::isdigit(static_cast<unsigned char>(model.front())) == 0)
    return {2, 0};
  generation g{model[0] - '0', 0};
  if (model.size() > 2 && model[1] == '.'
      && std::isdigit(static_cast<unsigned char>(model[2])) != 0)
    g.minor = model[2] - '0';
  return g;
}

json model_resource(std::string_view name) {
  const auto m = facts_of(name);
  json r = {{"name", "models/" + std::string{name}},
            {"version", "001"},
            {"displayName", m.display},
            {"description", "A model of the troupe sandbox; nobody thinks here."},
            {"inputTokenLimit", 1048576},
            {"outputTokenLimit", 65536},
            {"supportedGenerationMethods", json::array({"generateContent", "countTokens"})},
            {"temperature", 1},
            {"topP", 0.95},
            {"topK", 64},
            {"maxTemperature", 2}};
  if (m.thinks)
    r["thinking"] = true;
  return r;
}

} // namespace sandbox
