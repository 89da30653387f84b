#pragma once

#include "protocol/client_error.hpp"
#include "protocol/gemini/classify.hpp"
#include "protocol/translation_options.hpp"

#include <string_view>

/// The same question to every kind of upstream: what does this answer mean for the key, the
/// model and the client?

namespace troupe::upstream {

gemini::verdict classify(upstream_kind kind, int status, std::string_view body,
                         const gemini::answer_facts& facts);

/// What the client is told when `v` was the last word. Of an upstream that is called in the
/// client's own protocol, `upstream_body` and `upstream_status` are set only where the fault is
/// the client's: then it shall read the upstream's own words. All else is told in ours, since an
/// upstream's would blame the client for the pool's keys.
client_error to_client_error(upstream_kind kind, const gemini::verdict& v, int status,
                             std::string_view body);

/// `render` for an error that `to_client_error` made for an upstream of kind `openai` or
/// `anthropic`: the upstream's status and body where it gave them, with keys masked.
rendered_error render_forwarded(const client_error& e, surface s, std::string_view request_id);

} // namespace troupe::upstream
