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

/// Writes one whole answer. Each list of parts is gone through once for each member that they
/// feed, since a member must be written in one piece.
class response_writer {
public:
  response_writer(std::string& out, const answer& from, const chat_facts& facts,
                  const translation_options& options, const answer_context& context)
      : out_(out), w_(out), from_(from), facts_(facts), options_(options), context_(context) {}

  void write() {
    w_.begin_object();
    w_.member("id", completion_id(from_.response_id, context_.id_seed));
    w_.member("object", "chat.completion");
    w_.key("created");
    w_.integer(std::int64_t{context_.created.count()});
    w_.member("model", facts_.model_asked);
    w_.key("choices");
    w_.begin_array();
    for (const auto& candidate : from_.candidates)
      write_choice(candidate);
    if (from_.candidates.empty())
      write_blocked();
    w_.end_array();
    w_.key("usage");
    w_.separate();
    append_usage(out_, from_.usage);
    w_.end_object();
  }

private:
  void write_choice(const answer_candidate& candidate) {
    const auto parts = from_.parts_of(candidate);
    const bool calls = has(parts, part_kind::call);
    w_.begin_object();
    w_.key("index");
    w_.integer(candidate.index);
    w_.key("message");
    w_.begin_object();
    w_.member("role", "assistant");
    text_index index;
    const bool content = write_content(candidate, calls, index);
    const bool images = images_in_field(options_) && has(parts, part_kind::image);
    w_.key("refusal");
    if (is_filter(candidate.finish_reason) && !content && !images && !calls)
      w_.string("Blocked by Gemini: " + std::string{candidate.finish_reason});
    else
      w_.null();
    write_reasoning(parts);
    if (calls)
      write_calls(parts, candidate.index);
    write_annotations(candidate, index);
    if (images)
      write_images(parts);
    write_signature(parts);
    w_.end_object();
    w_.member("finish_reason", finish_reason(candidate.finish_reason, calls));
    if (candidate.logprobs) {
      w_.key("logprobs");
      w_.separate();
      append_logprobs(out_, *candidate.logprobs);
    }
    w_.end_object();
  }

  using part_list = std::span<const gemini::answer_part>;

  static bool has(part_list parts, part_kind kind) {
    return std::any_of(parts.begin(), parts.end(),
                       [kind](const auto& part) { return part.kind == kind; });
  }

  /// True if there is something to see (R3, R11).
  bool write_content(const answer_candidate& candidate, bool calls, text_index& index) {
    w_.key("content");
    const auto before = w_.save();
    w_.begin_string();
    const auto begun = out_.size();
    for (const auto& part : from_.parts_of(candidate))
      if (is_content(part, options_))
        append_content(out_, part, index);
    if (candidate.grounding && options_.grounding != grounding_output::annotations)
      append_sources(out_, *candidate.grounding, index);
    const bool visible = out_.size() != begun;
    w_.end_string();
    if (!visible && (calls || is_filter(candidate.finish_reason))) {
      w_.restore(before);
      w_.null();
    }
    return visible;
  }

  void write_reasoning(part_list parts) {
    if (!has(parts, part_kind::thought))
      return;
    w_.key("reasoning_content");
    w_.begin_string();
    for (const auto& part : parts)
      if (part.kind == part_kind::thought)
        w_.string_piece(part.text);
    w_.end_string();
  }

  void write_calls(part_list parts, std::uint32_t choice) {
    w_.key("tool_calls");
    w_.begin_array();
    const call_style style{.facts = facts_, .options = options_, .id_seed = context_.id_seed};
    call_place place{.choice = choice};
    for (const auto& part : parts)
      if (part.kind == part_kind::call) {
        w_.separate();
        append_call(out_, part, place, style);
        ++place.position;
      }
    w_.end_array();
  }

  void write_annotations(const answer_candidate& candidate, const text_index& index) {
    if (!candidate.grounding || options_.grounding == grounding_output::markdown)
      return;
    const auto before = w_.save();
    w_.key("annotations");
    w_.separate();
    if (!append_annotations(out_, *candidate.grounding, index))
      w_.restore(before);
  }

  void write_images(part_list parts) {
    w_.key("images");
    w_.begin_array();
    for (const auto& part : parts)
      if (part.kind == part_kind::image) {
        w_.separate();
        append_image(out_, part);
      }
    w_.end_array();
  }

  /// S6: of several signed texts the last one speaks for the message.
  void write_signature(part_list parts) {
    const auto signed_text = std::find_if(parts.rbegin(), parts.rend(), [](const auto& part) {
      return part.kind == part_kind::text && !part.signature.empty();
    });
    if (signed_text == parts.rend() || !options_.signature_in_extra_content)
      return;
    w_.key("extra_content");
    w_.separate();
    append_signature(out_, signed_text->signature);
  }

  /// R15: an answer, not an error. Another key would be refused the same prompt.
  void write_blocked() {
    w_.begin_object();
    w_.key("index");
    w_.integer(0);
    w_.key("message");
    w_.begin_object();
    w_.member("role", "assistant");
    w_.key("content");
    w_.null();
    w_.member("refusal", "Prompt blocked by Gemini: " + std::string{from_.block_reason});
    w_.end_object();
    w_.member("finish_reason", "content_filter");
    w_.end_object();
  }

  std::string& out_;
  json::writer w_;
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
