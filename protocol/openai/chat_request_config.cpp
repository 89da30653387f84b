#include "protocol/gemini/voices.hpp"
#include "protocol/openai/chat_request_state.hpp"

// `generationConfig` and what else stands at the top of the upstream request (O1 to O18).

namespace troupe::openai {

using json::element;
using json::element_type;

namespace {

/// `thinking_budget` becomes `thinkingBudget`, at every depth: Google's own convention for
/// its extension object.
void copy_camel_case(json::writer& out, const element& value, std::string& key) {
  if (const auto object = json::as_object(value)) {
    out.begin_object();
    for (const auto field : *object) {
      key.clear();
      bool upper = false;
      for (const char c : field.key) {
        if (c == '_' && !key.empty()) {
          upper = true;
          continue;
        }
        key += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
        upper = false;
      }
      out.foreign_key(key);
      copy_camel_case(out, field.value, key);
    }
    out.end_object();
  } else if (const auto list = json::as_array(value)) {
    out.begin_array();
    for (const auto item : *list)
      copy_camel_case(out, item, key);
    out.end_array();
  } else {
    out.element(value);
  }
}

bool is_empty_container(const element& value) {
  if (const auto object = json::as_object(value))
    return json::is_empty(*object);
  const auto list = json::as_array(value);
  return list && list->begin() == list->end();
}

/// The remainder of dividing by 2^31, never negative (O5).
std::int64_t wrap_seed(std::int64_t seed) {
  constexpr std::int64_t modulus = std::int64_t{1} << 31;
  return ((seed % modulus) + modulus) % modulus;
}

} // namespace

/// The writer, inside `generationConfig`, which comes into being with its first member (G8).
json::writer& request_translator::config(const json::plain_key& name) {
  if (!config_open_) {
    out_.key("generationConfig");
    out_.begin_object();
    config_open_ = true;
  }
  out_.key(name);
  return out_;
}

bool request_translator::write_generation_config() {
  if (!write_number(request_field::temperature, "temperature")
      || !write_number(request_field::top_p, "topP") || !write_number(request_field::top_k, "topK")
      || !write_max_tokens() || !write_stop() || !write_count() || !write_seed()
      || !write_penalties() || !write_logprobs() || !write_response_format() || !write_thinking()
      || !write_modalities())
    return false;
  write_google_member(google_field::image_config, "imageConfig");
  write_google_member(google_field::media_resolution, "mediaResolution");
  if (config_open_)
    out_.end_object();
  return true;
}

void request_translator::write_google_member(google_field which, const json::plain_key& name) {
  if (const auto* value = google_[which]; value && !is_empty_container(*value))
    copy_camel_case(config(name), *value, scratch_.text);
}

bool request_translator::write_number(request_field which, const json::plain_key& name) {
  const auto* value = field(which);
  if (value == nullptr)
    return true;
  if (!value->is_number())
    return fail(which, "must be a number.");
  config(name).element(*value);
  return true;
}

/// O6: the Gemini API refuses penalties for its models of generation 2.5.
bool request_translator::write_penalties() {
  const bool refused = context_.upstream == upstream_kind::gemini && model_.made.major == 2
                       && model_.made.minor == 5;
  if (!refused)
    return write_number(request_field::presence_penalty, "presencePenalty")
           && write_number(request_field::frequency_penalty, "frequencyPenalty");
  for (const auto which : {request_field::presence_penalty, request_field::frequency_penalty})
    if (const auto* value = field(which)) {
      if (!value->is_number())
        return fail(which, "must be a number.");
      ignore(request_field_names[static_cast<std::size_t>(which)]);
    }
  return true;
}

bool request_translator::write_max_tokens() {
  const auto which = field(request_field::max_completion_tokens)
                         ? request_field::max_completion_tokens
                         : request_field::max_tokens;
  const auto* value = field(which);
  if (value == nullptr)
    return true;
  const auto count = json::as_integer(*value);
  if (!count || *count < 1)
    return fail(which, "must be a positive integer.");
  config("maxOutputTokens").integer(*count);
  return true;
}

bool request_translator::write_count() {
  const auto* value = field(request_field::n);
  if (value == nullptr)
    return true;
  const auto count = json::as_integer(*value);
  if (!count || *count < 1 || *count > 8)
    return fail(request_field::n, "must be an integer from 1 to 8.");
  if (*count > 1)
    config("candidateCount").integer(*count);
  return true;
}

bool request_translator::write_seed() {
  const auto* value = field(request_field::seed);
  if (value == nullptr)
    return true;
  if (value->type() == element_type::UINT64) { // beyond int64, whose range is no other's limit
    config("seed").integer(value->get_uint64().value_unsafe() % (std::uint64_t{1} << 31));
    return true;
  }
  const auto seed = json::as_integer(*value);
  if (!seed)
    return fail(request_field::seed, "must be an integer.");
  config("seed").integer(wrap_seed(*seed));
  return true;
}

bool request_translator::write_stop() {
  const auto* value = field(request_field::stop);
  if (value == nullptr)
    return true;
  if (const auto text = json::as_string(*value)) {
    if (text->empty())
      return true;
    config("stopSequences").begin_array();
    out_.string(*text);
    out_.end_array();
    return true;
  }
  const auto list = json::as_array(*value);
  if (!list)
    return fail(request_field::stop, "must be a string or a list of strings.");
  std::size_t count = 0;
  for (const auto item : *list) {
    const auto text = json::as_string(item);
    if (!text)
      return fail(request_field::stop, "must be a string or a list of strings.");
    if (text->empty())
      continue;
    if (count == stops_max)
      return fail(request_field::stop, "may hold at most 5 strings.");
    if (count++ == 0)
      config("stopSequences").begin_array();
    out_.string(*text);
  }
  if (count > 0)
    out_.end_array();
  return true;
}

bool request_translator::write_logprobs() {
  bool wanted = false;
  if (const auto* value = field(request_field::logprobs)) {
    const auto given = json::as_bool(*value);
    if (!given)
      return fail(request_field::logprobs, "must be true or false.");
    wanted = *given;
  }
  std::optional<std::int64_t> count;
  if (const auto* top = field(request_field::top_logprobs)) {
    count = json::as_integer(*top);
    if (!count)
      return fail(request_field::top_logprobs, "must be an integer.");
  }
  if (!wanted)
    return true;
  config("responseLogprobs").boolean(true);
  if (count)
    config("logprobs").integer(*count);
  return true;
}

/// O9 to O12.
bool request_translator::write_response_format() {
  enum class format_field : std::uint8_t { type, json_schema };
  static constexpr json::member_names<2> names{{{"type", "json_schema"}}};
  const auto* value = field(request_field::response_format);
  if (value == nullptr)
    return true;
  const auto object = json::as_object(*value);
  if (!object)
    return fail(request_field::response_format, "must be an object.");
  const json::members<format_field, 2> known{*object, names};
  const auto* type_value = known[format_field::type];
  const auto type = type_value ? json::as_string(*type_value) : std::nullopt;
  if (type != "text" && type != "json_object" && type != "json_schema")
    return fail("response_format.type", "'type' must be 'text', 'json_object' or 'json_schema'.");
  std::optional<element> schema;
  if (type == "json_schema") {
    const auto* holder = known[format_field::json_schema];
    const auto named = holder ? json::as_object(*holder) : std::nullopt;
    if (!named)
      return fail("response_format.json_schema",
                  "'json_schema' is required and must be an object.");
    schema = json::find_member(*named, "schema");
    if (schema && !schema->is_object())
      return fail("response_format.json_schema.schema", "'schema' must be an object.");
  }
  if (type == "text")
    return true;
  if (has_functions_ && model_.made.major < 3) { // the upstream refuses both together
    ignore("response_format");
    return true;
  }
  config("responseMimeType").string("application/json");
  return !schema
         || write_schema(*schema, "responseSchema", "responseJsonSchema", false,
                         "response_format.json_schema.schema");
}

/// O13, T1 to T4. A thinking_config of Google's object replaces what an effort would say.
bool request_translator::write_thinking() {
  std::optional<gemini::effort> asked;
  if (const auto* value = field(request_field::reasoning_effort)) {
    const auto name = json::as_string(*value);
    asked = name ? gemini::effort_of(*name) : std::nullopt;
    if (!asked)
      return fail(request_field::reasoning_effort,
                  "must be one of none, minimal, low, medium, high, xhigh, max.");
    if (model_.made < gemini::generation{2, 5})
      ignore("reasoning_effort");
  }
  if (const auto* given = google_[google_field::thinking_config]) {
    if (!is_empty_container(*given))
      copy_camel_case(config("thinkingConfig"), *given, scratch_.text);
    return true;
  }
  if (model_.non_thinking)
    asked = gemini::effort::none;
  const auto thinking = gemini::thinking_for(model_, asked, options_.thoughts);
  if (thinking.empty())
    return true;
  config("thinkingConfig").begin_object();
  if (thinking.budget) {
    out_.key("thinkingBudget");
    out_.integer(*thinking.budget);
  }
  if (!thinking.level.empty())
    out_.member("thinkingLevel", thinking.level);
  if (thinking.include_thoughts)
    out_.boolean_member("includeThoughts", true);
  out_.end_object();
  return true;
}

/// O14, O15.
bool request_translator::write_modalities() {
  bool image = model_.image;
  bool audio = false;
  if (const auto* value = field(request_field::modalities)) {
    const auto list = json::as_array(*value);
    if (!list)
      return fail(request_field::modalities, "must be a list of strings.");
    for (const auto item : *list) {
      const auto name = json::as_string(item);
      if (!name)
        return fail(request_field::modalities, "must be a list of strings.");
      image = image || *name == "image";
      audio = audio || *name == "audio";
    }
  }
  if (const auto* given = google_[google_field::response_modalities]) {
    if (!is_empty_container(*given))
      config("responseModalities").element(*given);
  } else if (audio) {
    config("responseModalities").raw(R"(["AUDIO"])");
  } else if (image) {
    config("responseModalities").raw(R"(["TEXT","IMAGE"])");
  }
  return write_speech(audio);
}

bool request_translator::write_speech(bool audio) {
  std::string_view voice;
  if (const auto* value = field(request_field::audio)) {
    const auto object = json::as_object(*value);
    if (!object)
      return fail(request_field::audio, "must be an object.");
    if (const auto name = json::find_member(*object, "voice")) {
      const auto text = json::as_string(*name);
      if (!text)
        return fail("audio.voice", "'voice' must be a string.");
      voice = gemini::voice_for(*text);
    }
  }
  if (const auto* given = google_[google_field::speech_config]) {
    if (!is_empty_container(*given))
      copy_camel_case(config("speechConfig"), *given, scratch_.text);
  } else if (audio && !voice.empty()) {
    config("speechConfig").begin_object();
    out_.key("voiceConfig");
    out_.begin_object();
    out_.key("prebuiltVoiceConfig");
    out_.begin_object();
    out_.member("voiceName", voice);
    out_.end_object();
    out_.end_object();
    out_.end_object();
  }
  return true;
}

/// O17. What a request says, be it an empty list, replaces the configuration.
bool request_translator::write_safety() {
  const auto* given = field(request_field::safety_settings);
  if (given != nullptr && !given->is_array())
    return fail(request_field::safety_settings, "must be a list.");
  if (const auto* google = google_[google_field::safety_settings])
    given = google;
  if (given != nullptr) {
    if (is_empty_container(*given))
      return true;
    out_.key("safetySettings");
    out_.element(*given);
  } else if (!options_.safety_settings.empty() && options_.safety_settings != "[]") {
    out_.key("safetySettings");
    out_.raw(options_.safety_settings);
  }
  return true;
}

/// The names in `labels` are the client's own and stay as they are.
void request_translator::write_labels() {
  const auto* labels = google_[google_field::labels];
  if (labels == nullptr || is_empty_container(*labels))
    return;
  out_.key("labels");
  out_.element(*labels);
}

} // namespace troupe::openai
