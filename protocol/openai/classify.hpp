#pragma once

#include "protocol/gemini/classify.hpp"

#include <string_view>

namespace troupe::openai {

/// What an answer of an upstream that speaks OpenAI's protocol means: docs/protocol/openai.md
/// section 9. The classes are those of Gemini; `reason` is the error's code, `field` its
/// `param`. Never fails: what it cannot read is classified by its status.
gemini::verdict classify_answer(int status, std::string_view body,
                                const gemini::answer_facts& facts);

} // namespace troupe::openai
