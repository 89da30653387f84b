#pragma once

// Private to protocol/openai.

#include "protocol/gemini/answer.hpp"
#include "protocol/openai/chat.hpp"
#include "protocol/openai/text_index.hpp"
#include "protocol/translation_options.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// What whole answers and streamed chunks of the chat endpoint share: each function appends one
/// piece of OpenAI's JSON (docs/protocol/mapping.md section 3).

namespace troupe::openai {

/// 24 hex digits that follow from the seed and the two numbers, and look random.
std::string derived_id(std::uint64_t seed, std::uint64_t a, std::uint64_t b);

/// The `id` of an answer (R1). An upstream's id that is no short plain word is not taken over.
std::string completion_id(std::string_view response_id, std::uint64_t seed);

/// The F-table. `calls` tells whether a function call was seen.
std::string_view finish_reason(std::string_view gemini, bool calls);

/// Whether the reason is one of the filters, for which a choice without content is a refusal.
bool is_filter(std::string_view gemini);

/// Whether an inline image of an answer goes into the text (R7).
inline bool images_in_text(const translation_options& o) {
  return o.images != image_output::images;
}
inline bool images_in_field(const translation_options& o) {
  return o.images != image_output::markdown;
}

/// Whether the part becomes text that the client sees in `content`.
bool is_content(const gemini::answer_part& part, const translation_options& options);

/// Appends the part's share of `content`, escaped, and counts it in `index`, if there is one.
void append_content(std::string& out, const gemini::answer_part& part, text_index* index);

/// What the members of `tool_calls` depend on beside their parts.
struct call_style {
  const chat_facts& facts;
  const translation_options& options;
  std::uint64_t id_seed = 0;
  bool streamed = false; ///< with `index`
};

/// Where a call stands: in which choice, and how many calls are before it there.
struct call_place {
  std::uint32_t choice = 0;
  std::uint32_t position = 0;
};

/// Appends one member of `tool_calls`.
void append_call(std::string& out, const gemini::answer_part& part, call_place place,
                 const call_style& style);

/// Appends `{"google":{"thought_signature":...}}`.
void append_signature(std::string& out, std::string_view signature);

/// Appends one member of `images`.
void append_image(std::string& out, const gemini::answer_part& part);

/// Appends the value of `usage` (U-table).
void append_usage(std::string& out, const gemini::usage_counts& usage);

/// Appends the value of `logprobs` (R19).
void append_logprobs(std::string& out, const simdjson::dom::object& result);

/// Appends the value of `annotations` (R18), or nothing if there is no citation. True if it
/// appended.
bool append_annotations(std::string& out, const simdjson::dom::object& grounding,
                        const text_index& index);

/// Appends the list of sources in Markdown, escaped, and counts it in `index`; nothing if there
/// is no source.
void append_sources(std::string& out, const simdjson::dom::object& grounding, text_index& index);

/// Keeps what a later `append_annotations` or `append_sources` needs, as JSON. What an earlier
/// event of a stream told stays if this one tells nothing.
void keep_grounding(const simdjson::dom::object& grounding, std::string& kept);

/// What was kept, as sources for the text and as annotations, by `options`; either may be empty.
struct citations {
  std::string sources;     ///< escaped, for within a string
  std::string annotations; ///< a JSON array
};
citations cite(const std::string& kept, const translation_options& options, text_index& index);

} // namespace troupe::openai
