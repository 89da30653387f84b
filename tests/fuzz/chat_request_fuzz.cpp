#include "protocol/base/result.hpp"
#include "protocol/openai/chat.hpp"

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Any bytes as the body of a chat request must end in an error that names no nonsense, in a
/// wish for media, or in valid JSON for a path that is the upstream's: never in a crash, and
/// never in a body that grows out of proportion. The first byte chooses the options.

namespace {

using namespace troupe;

bool is_json(std::string_view text) {
  static simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS
         || nlohmann::json::accept(text); // numbers beyond 64 bits pass through us
}

void check(const openai::chat_request& request, std::size_t size) {
  TROUPE_ASSERT(is_json(request.body));
  TROUPE_ASSERT(request.body.size() < 64 * size + (16 << 20));
  TROUPE_ASSERT(request.path.starts_with("/v1beta"));
  for (const char c : request.path)
    TROUPE_ASSERT(c > ' ' && c < 0x7F && c != '#');
  TROUPE_ASSERT(!request.facts.model.empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  translation_options options;
  options.media = static_cast<remote_media>(data[0] % 3);
  options.schemas = static_cast<schema_mode>(data[0] / 3 % 3);
  options.thoughts = static_cast<thoughts_policy>(data[0] / 9 % 3);
  request_context context;
  context.upstream = (data[0] & 0x80) != 0 ? upstream_kind::vertex : upstream_kind::gemini;

  const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto outcome = openai::translate_chat_request(body, options, context);
  if (const auto* request = std::get_if<openai::chat_request>(&outcome))
    check(*request, size);
  if (const auto* media = std::get_if<openai::needs_media>(&outcome))
    TROUPE_ASSERT(!media->urls.empty());
  if (const auto* error = std::get_if<client_error>(&outcome)) {
    TROUPE_ASSERT(!error->message.empty());
    TROUPE_ASSERT(error->what == fault::invalid_request || error->what == fault::invalid_json);
  }
  return 0;
}
