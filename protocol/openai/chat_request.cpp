#include "protocol/openai/chat_request_state.hpp"

#include <algorithm>
#include <utility>

namespace troupe::openai {

using json::element;

std::variant<chat_request, needs_media, client_error>
translate_chat_request(std::string_view body, const translation_options& options,
                       const request_context& context) {
  thread_local request_scratch scratch;
  auto result = request_translator{scratch, options, context}.run(body);
  scratch.reader.release_large();
  return result;
}

request_translator::request_translator(request_scratch& scratch, const translation_options& options,
                                       const request_context& context)
    : scratch_(scratch), options_(options), context_(context) {
  scratch_.calls.clear();
  scratch_.system_texts.clear();
  scratch_.results.clear();
  scratch_.function_names.clear();
  scratch_.many_function_names.clear();
}

request_translator::outcome request_translator::run(std::string_view body) {
  if (!read_body(body) || !read_model() || !read_stream() || !read_google())
    return std::move(*error_);
  // Mostly the upstream body is about as long; media that were fetched come on top.
  body_.reserve(body.size() + body.size() / 8 + 256);
  if (!write_body())
    return std::move(*error_);
  if (!missing_media_.empty())
    return needs_media{std::move(missing_media_)};
  return chat_request{path(), std::move(body_), std::move(facts_), std::move(ignored_)};
}

bool request_translator::fail(std::string param, std::string message, std::string_view code) {
  client_error error;
  error.what = fault::invalid_request;
  error.message = std::move(message);
  error.param = std::move(param);
  if (!code.empty())
    error.code = code;
  error_ = std::move(error);
  return false;
}

bool request_translator::fail(request_field which, std::string message) {
  const auto name = request_field_names[static_cast<std::size_t>(which)];
  return fail(std::string(name), "'" + std::string(name) + "' " + std::move(message));
}

void request_translator::ignore(std::string_view name) {
  if (!ignored_.empty())
    ignored_ += ',';
  ignored_ += name;
}

bool request_translator::read_body(std::string_view body) {
  auto parsed = scratch_.reader.parse(body);
  if (auto* error = std::get_if<client_error>(&parsed)) {
    error_ = std::move(*error);
    return false;
  }
  const auto object = json::as_object(std::get<element>(parsed));
  if (!object) {
    fail(std::string{}, "The request body must be a JSON object.");
    error_->param.reset();
    return false;
  }
  fields_.read(*object, request_field_names);
  for (auto i = static_cast<std::size_t>(request_field::parallel_tool_calls);
       i < request_field_count; ++i)
    if (field(static_cast<request_field>(i)) != nullptr)
      ignore(request_field_names[i]);
  return true;
}

bool request_translator::read_model() {
  const auto* asked = field(request_field::model);
  if (asked == nullptr)
    return fail(request_field::model, "is required.");
  const auto name = json::as_string(*asked);
  if (!name)
    return fail(request_field::model, "must be a string.");
  model_ = gemini::parse_model_name(context_.model.empty() ? *name : context_.model,
                                    context_.models ? *context_.models : built_in_models());
  if (model_.upstream.empty())
    return fail(request_field::model, "names no model.");
  if (name->size() > model_bytes_max)
    return fail(request_field::model, "is too long for the name of a model.");
  facts_.model_asked = *name;
  facts_.model = model_.upstream;
  return true;
}

bool request_translator::read_stream() {
  if (const auto* stream = field(request_field::stream)) {
    const auto wanted = json::as_bool(*stream);
    if (!wanted)
      return fail(request_field::stream, "must be true or false.");
    facts_.stream = *wanted;
  }
  const auto* options = field(request_field::stream_options);
  if (options == nullptr)
    return true;
  const auto object = json::as_object(*options);
  if (!object)
    return fail(request_field::stream_options, "must be an object.");
  if (const auto usage = json::find_member(*object, "include_usage")) {
    const auto wanted = json::as_bool(*usage);
    if (!wanted)
      return fail("stream_options.include_usage", "'include_usage' must be true or false.");
    facts_.include_usage = facts_.stream && *wanted;
  }
  return true;
}

/// Google's object may stand in the request or, as the official SDKs are told to send it, in
/// `extra_body`; where both have a member, the former wins.
bool request_translator::read_google() {
  if (const auto* extra = field(request_field::extra_body)) {
    const auto object = json::as_object(*extra);
    if (!object)
      return fail(request_field::extra_body, "must be an object.");
    if (const auto google = json::find_member(*object, "google"))
      if (!read_google_object(*google, "extra_body.google"))
        return false;
  }
  const auto* google = field(request_field::google);
  return google == nullptr || read_google_object(*google, "google");
}

bool request_translator::read_google_object(const element& value, std::string_view param) {
  const auto object = json::as_object(value);
  if (!object)
    return fail(std::string(param), "'google' must be an object.");
  google_.read(*object, google_field_names);
  const auto is_wrong = [&](google_field which) {
    const auto* given = google_[which];
    if (given == nullptr)
      return false;
    switch (which) {
    case google_field::cached_content:
    case google_field::media_resolution:
      return !given->is_string();
    case google_field::safety_settings:
    case google_field::response_modalities:
      return !given->is_array();
    case google_field::thinking_config:
    case google_field::image_config:
    case google_field::speech_config:
    case google_field::labels:
      return !given->is_object();
    }
    return false;
  };
  for (std::size_t i = 0; i < 8; ++i)
    if (is_wrong(static_cast<google_field>(i)))
      return fail(std::string(param) + "." + std::string(google_field_names[i]),
                  "'" + std::string(google_field_names[i]) + "' has the wrong type.");
  return true;
}

bool request_translator::write_body() {
  const auto* cached = google_[google_field::cached_content];
  const auto cache = cached ? json::as_string(*cached).value_or("") : std::string_view{};

  out_.begin_object();
  if (!write_contents())
    return false;
  // A cache holds its own system texts and tools; the upstream refuses others beside it
  // (O19). They are checked all the same, as if they counted.
  const auto without_cache = out_.save();
  if (any_content_)
    write_system_instruction();
  if (!write_tools() || !write_tool_choice())
    return false;
  if (!cache.empty()) {
    out_.restore(without_cache);
    has_functions_ = false;
    out_.member("cachedContent", cache);
  }
  if (!write_generation_config() || !write_safety())
    return false;
  write_labels();
  out_.end_object();
  return true;
}

std::string request_translator::path() const {
  const auto models = gemini::models_path(context_.upstream);
  std::string path;
  path.reserve(models.size() + model_.upstream.size() + 32);
  path += models;
  gemini::append_path_segment(path, model_.upstream);
  path += facts_.stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
  return path;
}

} // namespace troupe::openai
