#pragma once

// Private to the chat_request_*.cpp files.

#include "protocol/gemini/call_index.hpp"
#include "protocol/gemini/model_name.hpp"
#include "protocol/json/reader.hpp"
#include "protocol/json/writer.hpp"
#include "protocol/openai/chat.hpp"
#include "protocol/openai/schema.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

namespace troupe::openai {

/// The members of a request that mean something to us; from `parallel_tool_calls` on only
/// that we do not honour them (O20).
enum class request_field : std::uint8_t {
  model,
  messages,
  stream,
  stream_options,
  temperature,
  top_p,
  top_k,
  n,
  seed,
  stop,
  presence_penalty,
  frequency_penalty,
  logprobs,
  top_logprobs,
  max_completion_tokens,
  max_tokens,
  reasoning_effort,
  response_format,
  tools,
  tool_choice,
  functions,
  function_call,
  modalities,
  audio,
  web_search_options,
  safety_settings,
  google,
  extra_body,
  parallel_tool_calls,
  logit_bias,
  user,
  metadata,
  store,
  service_tier,
  prediction,
  verbosity,
  prompt_cache_key,
  prompt_cache_retention,
  safety_identifier,
};

inline constexpr std::size_t request_field_count = 39;

inline constexpr json::member_names<request_field_count> request_field_names{{{
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "top_k",
    "n",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "max_completion_tokens",
    "max_tokens",
    "reasoning_effort",
    "response_format",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "modalities",
    "audio",
    "web_search_options",
    "safety_settings",
    "google",
    "extra_body",
    "parallel_tool_calls",
    "logit_bias",
    "user",
    "metadata",
    "store",
    "service_tier",
    "prediction",
    "verbosity",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
}}};

enum class message_field : std::uint8_t {
  role,
  content,
  name,
  tool_calls,
  tool_call_id,
  function_call,
  extra_content,
};
inline constexpr json::member_names<7> message_field_names{{{
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "extra_content",
}}};
using message_members = json::members<message_field, 7>;

enum class part_field : std::uint8_t {
  type,
  text,
  refusal,
  image_url,
  input_audio,
  input_video,
  video_url,
  file,
};
inline constexpr json::member_names<8> part_field_names{{{
    "type",
    "text",
    "refusal",
    "image_url",
    "input_audio",
    "input_video",
    "video_url",
    "file",
}}};
using part_members = json::members<part_field, 8>;

/// The members of what a media part holds.
enum class media_field : std::uint8_t { url, detail, data, format, file_data, file_id };
inline constexpr json::member_names<6> media_field_names{{{
    "url",
    "detail",
    "data",
    "format",
    "file_data",
    "file_id",
}}};
using media_members = json::members<media_field, 6>;

/// Google's extension object (O18).
enum class google_field : std::uint8_t {
  thinking_config,
  cached_content,
  safety_settings,
  response_modalities,
  image_config,
  media_resolution,
  speech_config,
  labels,
};
inline constexpr json::member_names<8> google_field_names{{{
    "thinking_config",
    "cached_content",
    "safety_settings",
    "response_modalities",
    "image_config",
    "media_resolution",
    "speech_config",
    "labels",
}}};

/// Whose turn a content is. `results` has the role `user` too, but holds only
/// functionResponse parts (M5).
enum class content_kind : std::uint8_t { none, user, model, results };

/// Where a part stands in the request, and in whose turn.
struct part_place {
  std::size_t message;
  std::size_t position;
  content_kind kind;
};

/// One call of an assistant message, read before it is written: whether the first one gets a
/// placeholder depends on all of them (S5).
struct history_call {
  std::string_view id; ///< base id, may be empty
  std::string_view name;
  std::string_view arguments;
  std::string_view signature; ///< as the upstream gave it
  std::string_view tail;      ///< or in its URL-safe form
};

/// A tool's result, kept until all results of its turn are there and can be put in the order
/// of the calls (M6).
struct tool_result {
  std::size_t call;  ///< position of the call that it answers
  std::size_t index; ///< of the message
  std::string_view id;
  std::string_view name;
  std::optional<json::element> content;
};

/// Working memory that a thread keeps from request to request.
struct request_scratch {
  json::reader reader;
  schema_writer schemas;
  gemini::call_index calls;
  std::vector<std::string_view> system_texts;
  std::vector<history_call> message_calls;
  std::vector<tool_result> results;
  std::vector<std::string_view> function_names;
  std::unordered_set<std::string_view> many_function_names;
  std::string text;
};

/// The translation of one request: fields first, then the upstream body from top to bottom.
/// Every step returns false once `error_` is set.
class request_translator {
public:
  using outcome = std::variant<chat_request, needs_media, client_error>;

  request_translator(request_scratch& scratch, const translation_options& options,
                     const request_context& context);

  outcome run(std::string_view body);

private:
  static constexpr std::size_t model_bytes_max = 256;
  static constexpr std::size_t remote_media_max = 256;
  static constexpr std::size_t stops_max = 5;

  using request_members = json::members<request_field, request_field_count>;

  // chat_request.cpp
  bool fail(std::string param, std::string message, std::string_view code = {});
  bool fail(request_field which, std::string message);
  void ignore(std::string_view name);
  bool read_body(std::string_view body);
  bool read_model();
  bool read_stream();
  bool read_google();
  bool read_google_object(const json::element& value, std::string_view param);
  bool write_body();
  std::string path() const;

  // chat_request_messages.cpp
  bool write_contents();
  bool read_folded_system(const simdjson::dom::array& messages);
  bool write_message(const json::element& message, std::size_t index);
  bool read_system(const message_members& message, std::size_t index);
  bool write_assistant(const message_members& message, std::size_t index);
  bool read_calls(const message_members& message, std::size_t index);
  bool read_call(const json::element& call, std::size_t index, std::size_t position);
  bool read_function(const json::element& function, history_call read, std::size_t index,
                     std::optional<std::size_t> position);
  void write_calls();
  void write_call(const history_call& call, bool placeholder);
  bool read_result(const message_members& message, std::size_t index, bool legacy);
  void write_results();
  void write_result(const tool_result& result);
  std::string_view result_text(const json::element& content);
  void write_system_texts();
  void write_system_instruction();
  void open(content_kind kind);
  void open_content(content_kind kind);
  void close_content();

  // chat_request_parts.cpp
  bool write_parts(const json::element& content, std::size_t index, content_kind kind,
                   std::string_view signature);
  bool write_part(const json::element& part, const part_place& at, std::string_view signature);
  void write_text(std::string_view text, content_kind kind, std::string_view signature);
  bool write_text_with_images(std::string_view text);
  bool write_media(part_field which, const media_members& media, const part_place& at);
  bool write_encoded(std::string_view mime, std::string_view base64, const part_place& at);
  bool write_url(std::string_view url, std::string_view detail, const part_place& at);
  bool write_remote(std::string_view url, std::string_view detail, const part_place& at);
  bool write_file(std::string_view data, std::string_view id, const part_place& at);
  void write_uri(std::string_view uri, const part_place& at);
  void write_inline(std::string_view mime, std::string_view base64, std::string_view detail);
  void write_resolution(std::string_view detail);
  bool read_text_parts(const json::element& content, std::size_t index,
                       std::vector<std::string_view>* texts);

  // chat_request_tools.cpp
  enum class server_tool : std::uint8_t { search, code, url_context };
  bool write_tools();
  bool write_tool(const json::element& tool, std::size_t index);
  bool write_function(const json::element& function, const std::string& path);
  void write_server_tools();
  void add_server_tool(server_tool which);
  bool is_new_function(std::string_view name);
  void write_function_name(const json::plain_key& key, std::string_view name);
  void append_function_name(std::string_view name);
  bool write_tool_choice();
  bool write_choice(const json::element& choice, request_field which);
  bool write_chosen_function(std::string_view name, const std::string& path);
  bool write_allowed_tools(const json::element* allowed);
  bool write_schema(const json::element& schema, const json::plain_key& subset,
                    const json::plain_key& full, bool optional, const std::string& path);

  // chat_request_config.cpp
  bool write_generation_config();
  void write_google_member(google_field which, const json::plain_key& name);
  bool write_number(request_field which, const json::plain_key& name);
  bool write_penalties();
  bool write_max_tokens();
  bool write_count();
  bool write_seed();
  bool write_stop();
  bool write_logprobs();
  bool write_response_format();
  bool write_thinking();
  bool write_modalities();
  bool write_speech(bool audio);
  bool write_safety();
  void write_labels();
  json::writer& config(const json::plain_key& name);

  const json::element* field(request_field which) const { return fields_[which]; }

  request_scratch& scratch_;
  const translation_options& options_;
  const request_context& context_;

  request_members fields_;
  json::members<google_field, 8> google_;
  gemini::model_name model_;
  chat_facts facts_;
  std::string ignored_;
  schema_budget budget_;

  std::string body_;
  json::writer out_{body_};
  content_kind open_ = content_kind::none;
  bool any_content_ = false;
  bool config_open_ = false;
  bool has_functions_ = false;
  std::vector<server_tool> server_tools_;
  std::vector<std::string> missing_media_;
  std::optional<client_error> error_;
};

} // namespace troupe::openai
