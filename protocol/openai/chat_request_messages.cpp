#include "protocol/json/compact.hpp"
#include "protocol/openai/chat_request_state.hpp"

#include <algorithm>
#include <tuple>

// Messages become contents (M1 to M14), calls and results in them keep their ids, order and
// signatures (C1 to C6, S3 to S6). Everything is written as it is read, with two exceptions:
// system texts wait for `systemInstruction`, and results wait until their turn is over.

namespace troupe::openai {

using json::element;

namespace {

std::string message_path(std::size_t index) {
  return "messages[" + std::to_string(index) + "]";
}

/// What Gemini wants beside a call that it did not make itself.
constexpr std::string_view signature_placeholder = "skip_thought_signature_validator";

/// URL-safe base64 without padding to the usual form (S4).
void decode_tail(std::string_view tail, std::string& out) {
  out = tail;
  std::replace(out.begin(), out.end(), '-', '+');
  std::replace(out.begin(), out.end(), '_', '/');
  out.append((4 - out.size() % 4) % 4, '=');
}

/// `extra_content.google.thought_signature`, empty if absent; none if a type is wrong.
std::optional<std::string_view> extra_signature(const element* extra_content) {
  if (extra_content == nullptr)
    return "";
  const auto extra = json::as_object(*extra_content);
  if (!extra)
    return std::nullopt;
  const auto google = json::find_member(*extra, "google");
  if (!google)
    return "";
  const auto signed_object = json::as_object(*google);
  if (!signed_object)
    return std::nullopt;
  const auto signature = json::find_member(*signed_object, "thought_signature");
  return signature ? json::as_string(*signature) : "";
}

} // namespace

bool request_translator::write_contents() {
  const auto* value = field(request_field::messages);
  const auto messages = value ? json::as_array(*value) : std::nullopt;
  if (!messages || messages->begin() == messages->end())
    return fail(request_field::messages, "must be a list with at least one message.");
  if (model_.folds_system() && !read_folded_system(*messages))
    return false;
  out_.key("contents");
  out_.begin_array();
  std::size_t index = 0;
  for (const auto message : *messages)
    if (!write_message(message, index++))
      return false;
  write_results();
  // The upstream wants at least one content (M7), and folded texts want a user's (M14).
  if (!scratch_.system_texts.empty() && (!any_content_ || model_.folds_system())) {
    open(content_kind::user);
    write_system_texts();
  }
  close_content();
  out_.end_array();
  return any_content_ || fail(request_field::messages, "hold no content.");
}

/// M14: system texts go before the first user text, so they are all read beforehand.
bool request_translator::read_folded_system(const simdjson::dom::array& messages) {
  std::size_t index = 0;
  for (const auto message : messages) {
    if (const auto object = json::as_object(message)) {
      const message_members known{*object, message_field_names};
      const auto* role = known[message_field::role];
      const auto name = role ? json::as_string(*role) : std::nullopt;
      if ((name == "system" || name == "developer") && !read_system(known, index))
        return false;
    }
    ++index;
  }
  return true;
}

bool request_translator::write_message(const element& message, std::size_t index) {
  const auto object = json::as_object(message);
  if (!object)
    return fail(message_path(index), "A message must be an object.");
  const message_members known{*object, message_field_names};
  const auto* role = known[message_field::role];
  const auto name = role ? json::as_string(*role) : std::nullopt;
  if (name == "user") {
    const auto* content = known[message_field::content];
    return content == nullptr || write_parts(*content, index, content_kind::user, {});
  }
  if (name == "assistant")
    return write_assistant(known, index);
  if (name == "system" || name == "developer")
    return model_.folds_system() || read_system(known, index);
  if (name == "tool")
    return read_result(known, index, false);
  if (name == "function")
    return read_result(known, index, true);
  return fail(message_path(index) + ".role",
              name ? "The role '" + std::string(*name) + "' is not known."
                   : "'role' is required and must be a string.");
}

bool request_translator::read_system(const message_members& message, std::size_t index) {
  const auto* content = message[message_field::content];
  return content == nullptr || read_text_parts(*content, index, &scratch_.system_texts);
}

bool request_translator::write_assistant(const message_members& message, std::size_t index) {
  const auto signature = extra_signature(message[message_field::extra_content]);
  if (!signature)
    return fail(message_path(index) + ".extra_content", "'extra_content' has the wrong type.");
  if (const auto* content = message[message_field::content])
    if (!write_parts(*content, index, content_kind::model, *signature))
      return false;
  if (!read_calls(message, index))
    return false;
  if (!scratch_.message_calls.empty())
    write_calls();
  return true;
}

bool request_translator::read_calls(const message_members& message, std::size_t index) {
  scratch_.message_calls.clear();
  if (const auto* calls = message[message_field::tool_calls]) {
    const auto list = json::as_array(*calls);
    if (!list)
      return fail(message_path(index) + ".tool_calls", "'tool_calls' must be a list.");
    std::size_t position = 0;
    for (const auto call : *list) {
      if (!read_call(call, index, position))
        return false;
      ++position;
    }
  }
  const auto* legacy = message[message_field::function_call];
  return legacy == nullptr || read_function(*legacy, {}, index, std::nullopt);
}

namespace {

std::string call_path(std::size_t index, std::optional<std::size_t> position) {
  return message_path(index)
         + (position ? ".tool_calls[" + std::to_string(*position) + "]" : ".function_call");
}

} // namespace

bool request_translator::read_call(const element& call, std::size_t index, std::size_t position) {
  enum class call_field : std::uint8_t { id, type, function, extra_content };
  static constexpr json::member_names<4> names{{{"id", "type", "function", "extra_content"}}};
  const auto object = json::as_object(call);
  if (!object)
    return fail(call_path(index, position), "A tool call must be an object.");
  const json::members<call_field, 4> known{*object, names};
  if (const auto* type = known[call_field::type]; type && json::as_string(*type) != "function")
    return fail(call_path(index, position) + ".type", "Only calls of type 'function' are known.");
  history_call read{};
  std::string_view id;
  if (const auto* given = known[call_field::id]) {
    const auto text = json::as_string(*given);
    if (!text)
      return fail(call_path(index, position) + ".id", "'id' must be a string.");
    id = *text;
  }
  const auto signature = extra_signature(known[call_field::extra_content]);
  if (!signature)
    return fail(call_path(index, position) + ".extra_content",
                "'extra_content' has the wrong type.");
  read.id = gemini::base_id(id);
  read.signature = *signature;
  read.tail = gemini::signature_tail(id);
  const auto* function = known[call_field::function];
  if (function == nullptr)
    return fail(call_path(index, position) + ".function", "'function' is required.");
  return read_function(*function, read, index, position);
}

/// What a call calls. `read` holds what is known of the call already.
bool request_translator::read_function(const element& function, history_call read,
                                       std::size_t index, std::optional<std::size_t> position) {
  enum class function_field : std::uint8_t { name, arguments, thought_signature };
  static constexpr json::member_names<3> names{{{"name", "arguments", "thought_signature"}}};
  const auto path = [&](std::string_view member) {
    return call_path(index, position) + (position ? ".function" : "") + std::string(member);
  };
  const auto object = json::as_object(function);
  if (!object)
    return fail(path(""), "The called function must be an object.");
  const json::members<function_field, 3> known{*object, names};
  const auto* name = known[function_field::name];
  read.name = name ? json::as_string(*name).value_or("") : "";
  if (read.name.empty())
    return fail(path(".name"), "'name' is required and must be a string.");
  if (const auto* arguments = known[function_field::arguments]) {
    const auto text = json::as_string(*arguments);
    if (!text)
      return fail(path(".arguments"), "'arguments' must be a string of JSON.");
    read.arguments = *text;
  }
  if (const auto* signature = known[function_field::thought_signature];
      signature && read.signature.empty())
    read.signature = json::as_string(*signature).value_or("");
  scratch_.message_calls.push_back(read);
  return true;
}

void request_translator::write_calls() {
  auto& calls = scratch_.message_calls;
  const bool is_signed = std::any_of(calls.begin(), calls.end(), [](const history_call& call) {
    return !call.signature.empty() || !call.tail.empty();
  });
  bool placeholder = !is_signed && model_.made.major >= 3;
  open(content_kind::model);
  scratch_.calls.begin_message();
  for (const auto& call : calls) {
    scratch_.calls.add(call.id, call.name);
    write_call(call, placeholder);
    placeholder = false;
  }
}

void request_translator::write_call(const history_call& call, bool placeholder) {
  out_.begin_object();
  out_.key("functionCall");
  out_.begin_object();
  if (!call.id.empty() && context_.upstream == upstream_kind::gemini)
    out_.member("id", call.id);
  write_function_name("name", call.name);
  out_.key("args");
  out_.separate();
  if (call.arguments.empty()) {
    out_.buffer() += "{}";
  } else if (!json::append_compact_object(out_.buffer(), call.arguments)) {
    out_.buffer() += R"({"_raw_arguments":)";
    json::append_string(out_.buffer(), call.arguments);
    out_.buffer() += '}';
  }
  out_.end_object();
  if (!call.signature.empty()) {
    out_.member("thoughtSignature", call.signature);
  } else if (!call.tail.empty()) {
    decode_tail(call.tail, scratch_.text);
    out_.member("thoughtSignature", scratch_.text);
  } else if (placeholder) {
    out_.member("thoughtSignature", signature_placeholder);
  }
  out_.end_object();
}

bool request_translator::read_result(const message_members& message, std::size_t index,
                                     bool legacy) {
  tool_result result{};
  result.index = index;
  const auto text_of = [&](message_field which) -> std::optional<std::string_view> {
    const auto* value = message[which];
    return value ? json::as_string(*value) : std::string_view{};
  };
  const auto id = legacy ? std::string_view{} : text_of(message_field::tool_call_id);
  if (!id)
    return fail(message_path(index) + ".tool_call_id", "'tool_call_id' must be a string.");
  const auto name = text_of(message_field::name);
  if (!name)
    return fail(message_path(index) + ".name", "'name' must be a string.");
  result.id = gemini::base_id(*id);
  const auto call = legacy ? std::nullopt : scratch_.calls.answered_by(result.id);
  result.name = call ? call->name : *name;
  result.call = call ? call->position : scratch_.calls.size();
  if (result.name.empty())
    return legacy ? fail(message_path(index) + ".name", "'name' is required.")
                  : fail(message_path(index) + ".tool_call_id",
                         "No earlier tool call has the id '" + std::string(result.id) + "'.");
  if (const auto* content = message[message_field::content]) {
    if (!read_text_parts(*content, index, nullptr))
      return false;
    result.content = *content;
  }
  scratch_.results.push_back(result);
  return true;
}

/// Everything that was waiting, in the order of the calls (M6).
void request_translator::write_results() {
  auto& results = scratch_.results;
  if (results.empty())
    return;
  std::sort(results.begin(), results.end(), [](const tool_result& a, const tool_result& b) {
    return std::tie(a.call, a.index) < std::tie(b.call, b.index);
  });
  open_content(content_kind::results);
  for (const auto& result : results)
    write_result(result);
  results.clear();
}

void request_translator::write_result(const tool_result& result) {
  out_.begin_object();
  out_.key("functionResponse");
  out_.begin_object();
  if (!result.id.empty() && context_.upstream == upstream_kind::gemini)
    out_.member("id", result.id);
  write_function_name("name", result.name);
  out_.key("response");
  out_.separate();
  const auto text = result.content ? result_text(*result.content) : std::string_view{};
  if (!json::append_compact_object(out_.buffer(), text)) {
    out_.buffer() += R"({"output":)";
    json::append_string(out_.buffer(), text);
    out_.buffer() += '}';
  }
  out_.end_object();
  out_.end_object();
}

/// The text of a result; its parts joined, in `scratch_.text` (C4).
std::string_view request_translator::result_text(const element& content) {
  if (const auto text = json::as_string(content))
    return *text;
  scratch_.text.clear();
  for (const auto part : simdjson::dom::array(content.get_array().value_unsafe())) {
    const part_members known{part.get_object().value_unsafe(), part_field_names};
    if (const auto* text = known[part_field::text])
      scratch_.text += text->get_string().value_unsafe();
  }
  return scratch_.text;
}

void request_translator::write_system_texts() {
  for (const auto text : scratch_.system_texts) {
    out_.begin_object();
    out_.member("text", text);
    out_.end_object();
  }
  scratch_.system_texts.clear();
}

void request_translator::write_system_instruction() {
  if (scratch_.system_texts.empty())
    return;
  out_.key("systemInstruction");
  out_.begin_object();
  out_.key("parts");
  out_.begin_array();
  write_system_texts();
  out_.end_array();
  out_.end_object();
}

/// Makes the next part one of `kind`'s. Called for the first part of a message, so that a
/// message without parts leaves no trace (M9) and neighbours of one kind are one (M5).
void request_translator::open(content_kind kind) {
  write_results();
  open_content(kind);
}

void request_translator::open_content(content_kind kind) {
  if (open_ == kind)
    return;
  close_content();
  out_.open(kind == content_kind::model ? R"({"role":"model","parts":[)"
                                        : R"({"role":"user","parts":[)");
  open_ = kind;
  any_content_ = true;
  if (kind == content_kind::user && model_.folds_system())
    write_system_texts();
}

void request_translator::close_content() {
  if (open_ == content_kind::none)
    return;
  out_.close("]}");
  open_ = content_kind::none;
}

} // namespace troupe::openai
