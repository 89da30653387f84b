#pragma once

#include "protocol/gemini/classify.hpp"
#include "protocol/upstream/retry_words.hpp"

#include <string_view>

namespace troupe::upstream {

/// How long an upstream that counts in `x-ratelimit-*` or `anthropic-ratelimit-*` fields asks to
/// wait after a throttle: the longest explicit word of `retry-after`, `retry-after-ms`, the
/// message, and the resets of what is used up.
///
/// A reset tells when an allowance is whole again, and comes for each of them with every answer:
/// one of a day that is barely touched may be hours away. So where `...-remaining-...` says that
/// something is left, its reset counts only if there is no other word.
wait told_wait(const gemini::answer_facts& facts, std::string_view message);

/// The part of it that speaks of the whole answer: `retry-after`, `retry-after-ms`.
wait told_by_retry_after(const gemini::answer_facts& facts);

} // namespace troupe::upstream
