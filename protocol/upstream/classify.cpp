#include "protocol/upstream/classify.hpp"

#include "protocol/anthropic/classify.hpp"
#include "protocol/openai/classify.hpp"
#include "protocol/upstream/error_words.hpp"

#include <utility>

namespace troupe::upstream {
namespace {

/// Gemini's classifier takes resets by their values alone.
gemini::answer_facts with_resets(gemini::answer_facts facts) {
  if (facts.ratelimit_resets.empty())
    for (const auto& field : facts.fields)
      if (begins_with(field.name, "x-ratelimit-reset"))
        facts.ratelimit_resets.push_back(field.value);
  return facts;
}

} // namespace

gemini::verdict classify(upstream_kind kind, int status, std::string_view body,
                         const gemini::answer_facts& facts) {
  switch (kind) {
  case upstream_kind::gemini:
  case upstream_kind::vertex:
    break;
  case upstream_kind::openai:
    return openai::classify_answer(status, body, facts);
  case upstream_kind::anthropic:
    return anthropic::classify_answer(status, body, facts);
  }
  return gemini::classify(status, body, with_resets(facts));
}

client_error to_client_error(upstream_kind kind, const gemini::verdict& v, int status,
                             std::string_view body) {
  auto e = gemini::to_client_error(v, status, body);
  if (kind == upstream_kind::gemini || kind == upstream_kind::vertex)
    return e;
  // What is no error of the protocol (a proxy's page, a bare text) is told in our words.
  const bool theirs = v.what == gemini::answer_class::request_fault && status >= 400 && status < 500
                      && read_error_words(body).is_error;
  if (!theirs) {
    e.upstream_body.reset();
    e.upstream_status.reset();
  }
  return e;
}

rendered_error render_forwarded(const client_error& e, surface s, std::string_view request_id) {
  auto ours = render(e, s, request_id);
  if (e.upstream_body && e.upstream_status) {
    ours.status = *e.upstream_status;
    ours.body = mask_keys(*e.upstream_body);
  }
  return ours;
}

} // namespace troupe::upstream
