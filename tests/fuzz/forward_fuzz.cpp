#include "protocol/base/result.hpp"
#include "protocol/upstream/classify.hpp"
#include "protocol/upstream/demand.hpp"
#include "protocol/upstream/forward_stream.hpp"
#include "protocol/upstream/told_limits.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What passes between a client and an upstream of its own protocol: a stream is the same however
/// it is cut, what leaves it is whole events, a changed body differs in its model only, and a
/// verdict keeps the rules whatever an upstream says.

namespace {

using namespace troupe;
using namespace troupe::upstream;

bool is_json(std::string_view text) {
  static simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

struct passing {
  std::string out;
  bool failed = false;
  bool whole = false;

  friend bool operator==(const passing&, const passing&) = default;
};

passing pass(forward_form form, std::string_view text, std::size_t step) {
  // Wide, so that how much of an event came in one piece does not decide whether it fits.
  forward_stream stream{form, 1 << 20};
  passing got;
  for (std::size_t at = 0; at < text.size() && !got.failed; at += step)
    got.failed = stream.feed(std::string{text.substr(at, step)}, got.out).has_value();
  got.whole = !got.failed && !stream.end(got.out);
  if (!got.whole) {
    const auto words = stream.broken(make_client_error(fault::stream_truncated, ""), "r");
    TROUPE_ASSERT(words.ends_with("\n\n"));
  }
  return got;
}

/// Every line that leaves a stream is a field of an event of ours.
void check_framing(std::string_view out) {
  while (!out.empty()) {
    const auto end = out.find('\n');
    TROUPE_ASSERT(end != out.npos);
    const auto line = out.substr(0, end);
    out.remove_prefix(end + 1);
    if (line.starts_with("data: "))
      TROUPE_ASSERT(line == "data: [DONE]" || is_json(line.substr(6)));
    else
      TROUPE_ASSERT(line.empty() || line.starts_with("event: "));
  }
}

void check_request(std::string_view body) {
  const auto facts = scan_forward(body);
  const auto changed = with_model(body, "m\"odel");
  if (facts.well_formed) {
    TROUPE_ASSERT(is_json(changed));
    TROUPE_ASSERT(scan_forward(changed).model == "m\"odel");
    TROUPE_ASSERT(scan_forward(changed).stream == facts.stream);
    TROUPE_ASSERT(with_model(changed, "m\"odel") == changed);
  }
  for (const auto kind : {upstream_kind::gemini, upstream_kind::openai}) {
    const auto demand = demand_of(kind, body, 100);
    TROUPE_ASSERT(demand.input <= (body.size() + 3) * 1'310);
    TROUPE_ASSERT(demand.output <= 1'000'000'000'000);
  }
  TROUPE_ASSERT(body.size() >= prefix_bytes || prefix_hash(body) == 0);
}

void check_verdict(int status, std::string_view field, std::string_view body) {
  const std::array fields{header_field{"x-ratelimit-limit-requests", field},
                          header_field{"x-ratelimit-reset-requests", field},
                          header_field{"anthropic-ratelimit-requests-reset", field}};
  gemini::answer_facts facts{.model = "m", .now = wall_time{std::chrono::seconds{1'768'435'200}}};
  facts.retry_after = field;
  facts.fields = fields;
  for (const auto kind : {upstream_kind::openai, upstream_kind::anthropic}) {
    const auto v = classify(kind, status, body, facts);
    if (v.retry_after)
      TROUPE_ASSERT(v.retry_after->count() > 0 && *v.retry_after <= std::chrono::hours{24 * 3650});
    const auto e = to_client_error(kind, v, status, body);
    TROUPE_ASSERT(!e.upstream_body || v.what == gemini::answer_class::request_fault);
    TROUPE_ASSERT(is_json(render_forwarded(e, surface::openai, "r").body));
    for (const auto& told : told_limits(kind, fields, body))
      TROUPE_ASSERT(told.amount > 0 && told.amount <= told_limit_max);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array statuses{200, 400, 401, 402, 403, 404, 429, 500, 503, 529};
  if (size < 2)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 2, size - 2};
  for (const auto form :
       {forward_form::chat, forward_form::responses, forward_form::messages, forward_form::other}) {
    const auto whole = pass(form, text, std::max<std::size_t>(text.size(), 1));
    TROUPE_ASSERT(pass(form, text, 1 + data[0] % 16) == whole);
    check_framing(whole.out);
  }
  check_request(text);
  const auto line = std::min(text.find('\n'), text.size());
  check_verdict(statuses[data[1] % statuses.size()], text.substr(0, line),
                text.substr(std::min(line + 1, text.size())));
  return 0;
}
