#include "protocol/base/result.hpp"
#include "protocol/gemini/classify.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Whatever an upstream answers, in body and headers: a verdict that keeps the rules, and an
/// error that every surface can tell in valid JSON.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  using namespace troupe::gemini;
  static constexpr std::array statuses{200, 400, 401, 403, 404, 413, 429, 500, 503, 504};
  if (size == 0)
    return 0;
  const int status = statuses[data[0] % statuses.size()];
  std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto line = [&text] {
    const auto end = std::min(text.find('\n'), text.size());
    const auto taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
  };
  answer_facts facts{.model = "gemini-2.5-flash",
                     .now = wall_time{std::chrono::seconds{1'768'435'200}}};
  facts.retry_after = line();
  facts.retry_after_ms = line();
  facts.ratelimit_resets = {line()};
  const auto v = classify(status, text, facts);

  if (v.retry_after)
    TROUPE_ASSERT(v.retry_after->count() > 0 && *v.retry_after <= std::chrono::hours{24 * 3650});
  if (status == 429)
    TROUPE_ASSERT(v.retry_after && v.scope == answer_scope::key_and_model);
  if (status == 404 || status == 500 || status == 503 || status == 504)
    TROUPE_ASSERT(v.what == answer_class::key_invalid || v.scope != answer_scope::key);
  if (v.what == answer_class::ok)
    return 0;
  static simdjson::dom::parser parser;
  const auto error = to_client_error(v, status, text);
  for (const auto s : {surface::openai, surface::anthropic, surface::gemini}) {
    const auto rendered = render(error, s, "r");
    TROUPE_ASSERT(parser.parse(rendered.body).error() == simdjson::SUCCESS);
    TROUPE_ASSERT(render_stream_error(error, s, "r").ends_with("}\n\n"));
  }
  return 0;
}
