#pragma once

#include "protocol/gemini/classify.hpp"

#include <string_view>

namespace troupe::anthropic {

/// What an answer of an upstream that speaks Anthropic's protocol means: docs/protocol/
/// anthropic.md section 6. The classes are those of Gemini; `reason` is the error's type.
/// Never fails: what it cannot read is classified by its status.
gemini::verdict classify_answer(int status, std::string_view body,
                                const gemini::answer_facts& facts);

} // namespace troupe::anthropic
