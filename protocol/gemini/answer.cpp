#include "protocol/gemini/answer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::gemini {
namespace {

using json::as_array;
using json::as_object;
using json::as_string;
using json::member_names;
using simdjson::dom::element;
using simdjson::dom::object;

std::string_view text_or_empty(const element& value) {
  return as_string(value).value_or("");
}

/// What an HTTP status is called in `error.status`; for an error that has no `code`.
int status_of(std::string_view canonical) {
  struct named {
    std::string_view name;
    int status;
  };
  static constexpr std::array names{
      named{"INVALID_ARGUMENT", 400},   named{"FAILED_PRECONDITION", 400},
      named{"OUT_OF_RANGE", 400},       named{"UNAUTHENTICATED", 401},
      named{"PERMISSION_DENIED", 403},  named{"NOT_FOUND", 404},
      named{"RESOURCE_EXHAUSTED", 429}, named{"UNAVAILABLE", 503},
      named{"DEADLINE_EXCEEDED", 504},
  };
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const named& n) { return n.name == canonical; });
  return found == names.end() ? 500 : found->status;
}

void read_error(const object& error, answer& into) {
  into.is_error = true;
  std::uint64_t code = 0;
  std::string_view status;
  for (const auto field : error) {
    if (field.key == "code")
      code = read_count(field.value);
    else if (field.key == "status")
      status = text_or_empty(field.value);
  }
  into.error_status = code >= 100 && code < 1000 ? static_cast<int>(code) : status_of(status);
}

std::optional<std::uint64_t> audio_count(const element& details) {
  std::optional<std::uint64_t> sum;
  if (const auto list = as_array(details))
    for (const element item : *list)
      if (const auto entry = as_object(item)) {
        std::string_view modality;
        std::uint64_t count = 0;
        for (const auto field : *entry) {
          if (field.key == "modality")
            modality = text_or_empty(field.value);
          else if (field.key == "tokenCount")
            count = read_count(field.value);
        }
        if (modality == "AUDIO")
          sum = sum.value_or(0) + count;
      }
  return sum;
}

void read_usage(const object& metadata, usage_counts& usage) {
  static constexpr member_names names{std::array<std::string_view, 8>{
      "promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount",
      "cachedContentTokenCount", "toolUsePromptTokenCount", "promptTokensDetails",
      "candidatesTokensDetails"}};
  usage.reported = true;
  for (const auto field : metadata)
    switch (names.find(field.key)) {
    case 0:
      usage.prompt = read_count(field.value);
      break;
    case 1:
      usage.candidates = read_count(field.value);
      break;
    case 2:
      usage.total = read_count(field.value);
      break;
    case 3:
      usage.thoughts = read_count(field.value);
      break;
    case 4:
      usage.cached = read_count(field.value);
      break;
    case 5:
      usage.tool_use = read_count(field.value);
      break;
    case 6:
      usage.prompt_audio = audio_count(field.value);
      break;
    case 7:
      usage.candidates_audio = audio_count(field.value);
      break;
    default:
      break;
    }
}

void read_call(const object& call, answer_part& part) {
  part.kind = part_kind::call;
  for (const auto field : call) {
    if (field.key == "name")
      part.name = text_or_empty(field.value);
    else if (field.key == "id")
      part.id = text_or_empty(field.value);
    else if (field.key == "args")
      part.args = field.value.is_object() ? std::optional{element{field.value}} : std::nullopt;
  }
}

/// Fills `name` and `text` from the two members that carry them.
void read_pair(const object& o, std::string_view name_key, std::string_view text_key,
               answer_part& part) {
  for (const auto field : o) {
    if (field.key == name_key)
      part.name = text_or_empty(field.value);
    else if (field.key == text_key)
      part.text = text_or_empty(field.value);
  }
}

/// False if the part holds nothing that we know.
bool read_part(const object& source, answer_part& part) {
  static constexpr member_names names{
      std::array<std::string_view, 7>{"text", "thought", "thoughtSignature", "functionCall",
                                      "inlineData", "executableCode", "codeExecutionResult"}};
  bool known = false, thought = false;
  for (const auto field : source)
    switch (names.find(field.key)) {
    case 0:
      if (const auto text = as_string(field.value)) {
        part.text = *text;
        known = true;
      }
      break;
    case 1:
      thought = json::as_bool(field.value).value_or(false);
      break;
    case 2:
      part.signature = text_or_empty(field.value);
      break;
    case 3:
      if (const auto call = as_object(field.value)) {
        read_call(*call, part);
        known = true;
      }
      break;
    case 4:
      if (const auto data = as_object(field.value)) {
        read_pair(*data, "mimeType", "data", part);
        part.kind = part_kind::image;
        known = part.name.starts_with("image/");
      }
      break;
    case 5:
      if (const auto code = as_object(field.value)) {
        read_pair(*code, "language", "code", part);
        part.kind = part_kind::code;
        known = true;
      }
      break;
    case 6:
      if (const auto outcome = as_object(field.value)) {
        read_pair(*outcome, "outcome", "output", part);
        part.kind = part_kind::code_result;
        known = true;
      }
      break;
    default:
      break;
    }
  if (thought && part.kind == part_kind::text)
    part.kind = part_kind::thought;
  return known && !(thought && part.kind == part_kind::image); // a draft (R7)
}

void read_parts(const object& content, answer& into) {
  for (const auto field : content) {
    if (field.key != "parts")
      continue;
    if (const auto parts = as_array(field.value))
      for (const element item : *parts)
        if (const auto source = as_object(item)) {
          answer_part part;
          if (read_part(*source, part))
            into.parts.push_back(part);
        }
  }
}

void read_candidate(const object& source, std::uint32_t position, answer& into) {
  static constexpr member_names names{std::array<std::string_view, 5>{
      "content", "finishReason", "index", "groundingMetadata", "logprobsResult"}};
  answer_candidate candidate;
  candidate.index = position;
  candidate.part_begin = into.parts.size();
  for (const auto field : source)
    switch (names.find(field.key)) {
    case 0:
      if (const auto content = as_object(field.value))
        read_parts(*content, into);
      break;
    case 1:
      candidate.finish_reason = text_or_empty(field.value);
      break;
    case 2:
      if (!field.value.is_null())
        candidate.index = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(read_count(field.value), candidates_max));
      break;
    case 3:
      candidate.grounding = as_object(field.value);
      break;
    case 4:
      candidate.logprobs = as_object(field.value);
      break;
    default:
      break;
    }
  candidate.part_end = into.parts.size();
  if (candidate.index < candidates_max)
    into.candidates.push_back(candidate);
}

void read_candidates(const element& value, answer& into) {
  const auto list = as_array(value);
  if (!list)
    return;
  std::uint32_t position = 0;
  for (const element item : *list) {
    if (position == candidates_max)
      return;
    if (const auto source = as_object(item))
      read_candidate(*source, position, into);
    ++position;
  }
}

void read_root(const object& root, answer& into) {
  static constexpr member_names names{std::array<std::string_view, 5>{
      "candidates", "usageMetadata", "responseId", "promptFeedback", "error"}};
  for (const auto field : root)
    switch (names.find(field.key)) {
    case 0:
      read_candidates(field.value, into);
      break;
    case 1:
      if (const auto metadata = as_object(field.value))
        read_usage(*metadata, into.usage);
      break;
    case 2:
      into.response_id = text_or_empty(field.value);
      break;
    case 3:
      if (const auto feedback = as_object(field.value))
        for (const auto entry : *feedback)
          if (entry.key == "blockReason")
            into.block_reason = text_or_empty(entry.value);
      break;
    case 4:
      if (const auto error = as_object(field.value))
        read_error(*error, into);
      break;
    default:
      break;
    }
}

/// Parser and lists of one thread. An answer is read, used and forgotten within one call.
struct workspace {
  json::reader reader;
  answer read;
};

/// Empties `a` but keeps its lists' memory, unless an answer of absurd size made them large.
void reset(answer& a) {
  constexpr std::size_t kept_max = 1024;
  auto candidates = std::move(a.candidates);
  auto parts = std::move(a.parts);
  a = {};
  if (parts.capacity() > kept_max)
    return;
  candidates.clear();
  parts.clear();
  a.candidates = std::move(candidates);
  a.parts = std::move(parts);
}

workspace& own_workspace() {
  static thread_local workspace own;
  return own;
}

} // namespace

token_usage usage_counts::summed() const {
  return {.prompt = prompt + tool_use,
          .output = candidates + thoughts,
          .thought = thoughts,
          .cached = cached,
          .reported = reported};
}

std::uint64_t read_count(const element& value) {
  // Beyond 2^53 no JSON number is sure to be itself.
  constexpr std::uint64_t count_max = std::uint64_t{1} << 53;
  std::uint64_t count = 0;
  if (value.get_uint64().get(count) == simdjson::SUCCESS)
    return std::min(count, count_max);
  if (const auto text = as_string(value)) {
    const auto end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, count);
    if (error == std::errc::result_out_of_range)
      return count_max;
    return error == std::errc{} && at == end ? std::min(count, count_max) : 0;
  }
  const auto integer = json::as_integer(value);
  return integer && *integer > 0 ? static_cast<std::uint64_t>(*integer) : 0;
}

const answer* read_answer(std::string_view json) {
  auto& work = own_workspace();
  auto& into = work.read;
  reset(into);
  const auto parsed = work.reader.parse(json);
  const auto* root = std::get_if<element>(&parsed);
  if (!root)
    return nullptr;
  auto source = as_object(*root);
  if (const auto list = as_array(*root); list && list->size() > 0)
    source = as_object(list->at(0).value_unsafe());
  if (!source)
    return &into; // JSON that tells nothing
  read_root(*source, into);
  if (into.is_error) {
    into.candidates.clear();
    into.parts.clear();
  }
  return &into;
}

} // namespace troupe::gemini
