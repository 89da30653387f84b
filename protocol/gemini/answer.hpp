#pragma once

// Private to protocol/: brings in simdjson.

#include "protocol/json/reader.hpp"
#include "protocol/translation_options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// One `GenerateContentResponse`, whole or as an event of a stream, read from simdjson's tape
/// into flat lists: what a translation needs, in upstream order, as views. What we do not know
/// or what has a wrong type is as if it were absent (G5). Nothing is judged here.

namespace troupe::gemini {

enum class part_kind : std::uint8_t {
  text,
  thought,
  call,        ///< `functionCall`
  image,       ///< `inlineData` of type `image/...`
  code,        ///< `executableCode`
  code_result, ///< `codeExecutionResult`
};

struct answer_part {
  part_kind kind = part_kind::text;
  std::string_view text;                      ///< the text, image data in base64, code or output
  std::string_view name;                      ///< of the function, MIME type, language or outcome
  std::string_view id;                        ///< of a call, may be empty
  std::string_view signature;                 ///< `thoughtSignature`, may be empty
  std::optional<simdjson::dom::element> args; ///< an object
};

struct answer_candidate {
  std::uint32_t index = 0;
  std::size_t part_begin = 0, part_end = 0; ///< in `answer::parts`
  std::string_view finish_reason;           ///< empty: none
  std::optional<simdjson::dom::object> grounding, logprobs;
};

/// `usageMetadata` as it came.
struct usage_counts {
  bool reported = false;
  std::uint64_t prompt = 0, tool_use = 0, candidates = 0, thoughts = 0, cached = 0;
  std::optional<std::uint64_t> total, prompt_audio, candidates_audio;

  /// With the sums of the U-table.
  token_usage summed() const;
};

struct answer {
  bool is_error = false; ///< a top-level `error`; the rest is then empty
  int error_status = 0;  ///< `error.code`, or what its `status` stands for
  std::string_view response_id;
  std::string_view block_reason; ///< of the prompt
  usage_counts usage;
  std::vector<answer_candidate> candidates;
  std::vector<answer_part> parts;

  std::span<const answer_part> parts_of(const answer_candidate& c) const {
    return std::span{parts}.subspan(c.part_begin, c.part_end - c.part_begin);
  }
};

/// Candidates beyond this number, or with an index at or above it, are as if absent; the API
/// makes at most eight.
constexpr std::uint32_t candidates_max = 64;

/// Reads `json`, an object or an array that begins with one, as errors sometimes come; null if
/// it is not one JSON value. What it gives is valid until the next call on the same thread, so that
/// no stream needs a parser, some 250 KiB, of its own.
const answer* read_answer(std::string_view json);

/// A count as protobuf writes it: a number or a string of digits. Sums of a few cannot overflow.
std::uint64_t read_count(const simdjson::dom::element& value);

} // namespace troupe::gemini
