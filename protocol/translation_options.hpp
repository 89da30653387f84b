#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace troupe {

enum class remote_media : std::uint8_t { fetch, file_uri, reject };
enum class thoughts_policy : std::uint8_t { on_request, always, never };
enum class image_output : std::uint8_t { markdown, images, both };
enum class grounding_output : std::uint8_t { annotations, markdown, both };
enum class schema_mode : std::uint8_t { automatic, subset, json_schema };
/// What an upstream speaks. `openai` and `anthropic` are called in their own protocol only.
enum class upstream_kind : std::uint8_t { gemini, vertex, openai, anthropic };

/// How requests and answers are translated: the configuration names of
/// docs/protocol/mapping.md section 0, with its defaults.
struct translation_options {
  remote_media media = remote_media::fetch;
  thoughts_policy thoughts = thoughts_policy::on_request;
  bool signature_in_extra_content = true;
  bool signature_in_id = true;
  image_output images = image_output::markdown;
  grounding_output grounding = grounding_output::annotations;
  schema_mode schemas = schema_mode::automatic;
  std::string safety_settings; ///< a JSON array of Gemini objects, or empty
  std::size_t media_bytes_max = 20 * 1024 * 1024;
  std::vector<std::string> search_models, image_models, non_thinking_models;
};

/// Media fetched for the request, by URL.
struct fetched_media {
  std::string mime;
  std::string base64;
};

struct string_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

/// Model names that are real upstream models: no suffix is parsed from them (N2). Contains
/// the built-in list and what the model cache knows.
using known_models = std::unordered_set<std::string, string_hash, std::equal_to<>>;

const known_models& built_in_models();

struct request_context {
  upstream_kind upstream = upstream_kind::gemini;
  const known_models* models = nullptr; ///< null: the built-in list
  std::string_view model{};             ///< to be asked for instead of the client's; empty: that
  const std::map<std::string, fetched_media, std::less<>>* fetched = nullptr;
};

/// Token counts as an upstream reported them; absent counts are 0.
struct token_usage {
  std::uint64_t prompt = 0; ///< includes cached and tool-use tokens
  std::uint64_t output = 0; ///< candidates and thoughts
  std::uint64_t thought = 0;
  std::uint64_t cached = 0;
  bool reported = false;
};

} // namespace troupe
