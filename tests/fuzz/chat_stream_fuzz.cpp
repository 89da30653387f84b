#include "protocol/base/result.hpp"
#include "protocol/openai/chat.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

/// Any bytes from an upstream, as a whole answer and as a stream (one event a line), must end
/// in an error or in valid JSON: never in a crash, a frame that no client can read, or a word
/// after an error.

namespace {

using namespace troupe;

bool is_json(std::string_view text) {
  static simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

void check_frames(std::string_view frames) {
  while (!frames.empty()) {
    TROUPE_ASSERT(frames.starts_with("data: "));
    const auto end = frames.find("\n\n");
    TROUPE_ASSERT(end != std::string_view::npos);
    const auto payload = frames.substr(6, end - 6);
    TROUPE_ASSERT(payload == "[DONE]" || is_json(payload));
    frames.remove_prefix(end + 2);
  }
}

translation_options options_of(std::uint8_t bits) {
  translation_options o;
  o.images = static_cast<image_output>(bits % 3);
  o.grounding = static_cast<grounding_output>(bits / 3 % 3);
  o.signature_in_id = (bits & 0x40) == 0;
  o.signature_in_extra_content = (bits & 0x80) == 0;
  return o;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto options = options_of(data[0]);
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  openai::chat_facts facts;
  facts.model_asked = facts.model = "m";
  facts.include_usage = (data[0] & 1) != 0;
  const openai::answer_context context{
      .created = std::chrono::seconds{1}, .id_seed = 7, .request_id = "r"};

  const auto whole = openai::translate_chat_response(text, facts, options, context);
  if (const auto* body = std::get_if<std::string>(&whole))
    TROUPE_ASSERT(is_json(*body));

  openai::chat_stream stream{facts, options, context};
  std::string out;
  bool failed = false;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto before = out.size();
    const auto step = stream.on_event(text.substr(begin, end - begin), out);
    failed |= step == openai::chat_stream::step::error;
    TROUPE_ASSERT(!failed || out.size() == before);
    TROUPE_ASSERT(stream.begun() == !out.empty());
    begin = end + 1;
  }
  const auto before = out.size();
  const bool ended_badly = stream.on_end(out).has_value();
  TROUPE_ASSERT(ended_badly || !failed);
  TROUPE_ASSERT(ended_badly ? out.size() == before : out.ends_with("data: [DONE]\n\n"));
  check_frames(out);
  return 0;
}
