#include "protocol/openai/chat.hpp"

#include "protocol/gemini/classify.hpp"
#include "protocol/json/writer.hpp"
#include "protocol/openai/chat_answer.hpp"

#include <algorithm>

namespace troupe::openai {
namespace {

using gemini::answer;
using gemini::answer_candidate;
using gemini::part_kind;

/// Writes one whole answer, in pieces as large as they come. Each list of parts is gone through
/// once for each member that they feed, since a member must be written in one piece.
class response_writer {
public:
  response_writer(std::string& out, const answer& from, const chat_facts& facts,
                  const translation_options& options, const answer_context& context)
      : out_(out), from_(from), facts_(facts), options_(options), context_(context) {}

  void write() {
    out_ += R"({"id":")";
    out_ += completion_id(from_.response_id, context_.id_seed);
    out_ += R"(","object":"chat.completion","created":)";
    json::append_integer(out_, std::int64_t{context_.created.count()});
    out_ += R"(,"model":)";
    json::append_string(out_, facts_.model_asked);
    out_ += R"(,"choices":[)";
    const char* comma = "";
    for (const auto& candidate : from_.candidates) {
      out_ += comma;
      write_choice(candidate);
      comma = ",";
    }
    if (from_.candidates.empty())
      write_blocked();
    out_ += R"(],"usage":)";
    append_usage(out_, from_.usage);
    out_ += '}';
  }

private:
  void write_choice(const answer_candidate& candidate) {
    const auto parts = from_.parts_of(candidate);
    const bool calls = has(parts, part_kind::call);
    out_ += R"({"index":)";
    json::append_integer(out_, std::uint64_t{candidate.index});
    out_ += R"(,"message":{"role":"assistant","content":)";
    text_index index;
    const bool content = write_content(candidate, calls, index);
    const bool images = images_in_field(options_) && has(parts, part_kind::image);
    if (is_filter(candidate.finish_reason) && !content && !images && !calls)
      write_member(R"(,"refusal":)", "Blocked by Gemini: " + std::string{candidate.finish_reason});
    else
      out_ += R"(,"refusal":null)";
    write_reasoning(parts);
    if (calls)
      write_calls(parts, candidate.index);
    write_annotations(candidate, index);
    if (images)
      write_images(parts);
    write_signature(parts);
    out_ += R"(},"finish_reason":")";
    out_ += finish_reason(candidate.finish_reason, calls);
    out_ += '"';
    if (candidate.logprobs) {
      out_ += R"(,"logprobs":)";
      append_logprobs(out_, *candidate.logprobs);
    }
    out_ += '}';
  }

  using part_list = std::span<const gemini::answer_part>;

  static bool has(part_list parts, part_kind kind) {
    return std::any_of(parts.begin(), parts.end(),
                       [kind](const auto& part) { return part.kind == kind; });
  }

  void write_member(std::string_view key, std::string_view text) {
    out_ += key;
    json::append_string(out_, text);
  }

  /// The value of `content`; true if there is something to see (R3, R11).
  bool write_content(const answer_candidate& candidate, bool calls, text_index& index) {
    const auto before = out_.size();
    out_ += '"';
    auto* const places = candidate.grounding ? &index : nullptr;
    for (const auto& part : from_.parts_of(candidate))
      if (is_content(part, options_))
        append_content(out_, part, places);
    if (candidate.grounding && options_.grounding != grounding_output::annotations)
      append_sources(out_, *candidate.grounding, index);
    const bool visible = out_.size() > before + 1;
    out_ += '"';
    if (!visible && (calls || is_filter(candidate.finish_reason))) {
      out_.resize(before);
      out_ += "null";
    }
    return visible;
  }

  void write_reasoning(part_list parts) {
    if (!has(parts, part_kind::thought))
      return;
    out_ += R"(,"reasoning_content":")";
    for (const auto& part : parts)
      if (part.kind == part_kind::thought)
        json::append_escaped(out_, part.text);
    out_ += '"';
  }

  void write_calls(part_list parts, std::uint32_t choice) {
    out_ += R"(,"tool_calls":[)";
    const call_style style{.facts = facts_, .options = options_, .id_seed = context_.id_seed};
    call_place place{.choice = choice};
    for (const auto& part : parts)
      if (part.kind == part_kind::call) {
        if (place.position > 0)
          out_ += ',';
        append_call(out_, part, place, style);
        ++place.position;
      }
    out_ += ']';
  }

  void write_annotations(const answer_candidate& candidate, const text_index& index) {
    if (!candidate.grounding || options_.grounding == grounding_output::markdown)
      return;
    const auto before = out_.size();
    out_ += R"(,"annotations":)";
    if (!append_annotations(out_, *candidate.grounding, index))
      out_.resize(before);
  }

  void write_images(part_list parts) {
    out_ += R"(,"images":[)";
    const char* comma = "";
    for (const auto& part : parts)
      if (part.kind == part_kind::image) {
        out_ += comma;
        append_image(out_, part);
        comma = ",";
      }
    out_ += ']';
  }

  /// S6: of several signed texts the last one speaks for the message.
  void write_signature(part_list parts) {
    const auto signed_text = std::find_if(parts.rbegin(), parts.rend(), [](const auto& part) {
      return part.kind == part_kind::text && !part.signature.empty();
    });
    if (signed_text == parts.rend() || !options_.signature_in_extra_content)
      return;
    out_ += R"(,"extra_content":)";
    append_signature(out_, signed_text->signature);
  }

  /// R15: an answer, not an error. Another key would be refused the same prompt.
  void write_blocked() {
    out_ += R"({"index":0,"message":{"role":"assistant","content":null)";
    write_member(R"(,"refusal":)", "Prompt blocked by Gemini: " + std::string{from_.block_reason});
    out_ += R"(},"finish_reason":"content_filter"})";
  }

  std::string& out_;
  const answer& from_;
  const chat_facts& facts_;
  const translation_options& options_;
  const answer_context& context_;
};

client_error unreadable(std::string_view body) {
  return {.what = fault::upstream_error,
          .message = "The upstream's answer is not readable.",
          .upstream_body = std::string{body.substr(0, 4096)},
          .upstream_status = 200};
}

} // namespace

std::variant<std::string, client_error> translate_chat_response(std::string_view body,
                                                                const chat_facts& facts,
                                                                const translation_options& options,
                                                                const answer_context& context,
                                                                token_usage* usage) {
  const auto* from = gemini::read_answer(body);
  if (!from)
    return unreadable(body);
  if (usage)
    *usage = from->usage.summed();
  if (from->is_error) {
    const int status = from->error_status;
    const gemini::answer_facts at{.model = facts.model, .now = wall_time{context.created}};
    return gemini::to_client_error(gemini::classify(status, body, at), status, body);
  }
  if (from->candidates.empty() && from->block_reason.empty())
    return client_error{.what = fault::empty_response};
  std::string out;
  out.reserve(body.size() + 512);
  response_writer{out, *from, facts, options, context}.write();
  return out;
}

} // namespace troupe::openai
