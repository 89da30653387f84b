#pragma once

#include "actors/front/answers.hpp"
#include "protocol/openai/chat.hpp"
#include "protocol/sse/parser.hpp"

namespace troupe {

/// A whole Gemini answer as an OpenAI chat completion.
class chat_whole final : public whole_answer {
public:
  chat_whole(const openai::chat_facts& facts, const translation_options& options,
             openai::answer_context context)
      : facts_(facts), options_(options), context_(context) {}

  std::variant<std::string, inner_error, client_error> translate(std::string body) override;
  token_usage usage() const override { return usage_; }

private:
  const openai::chat_facts& facts_;
  const translation_options& options_;
  openai::answer_context context_;
  token_usage usage_;
};

/// A Gemini stream as OpenAI chunks.
class chat_chunks final : public stream_answer {
public:
  chat_chunks(const openai::chat_facts& facts, const translation_options& options,
              openai::answer_context context, std::size_t event_bytes_max)
      : events_(event_bytes_max), stream_(facts, options, context) {}

  std::string_view content_type() const override { return "text/event-stream; charset=utf-8"; }
  std::optional<std::variant<inner_error, client_error>> feed(std::string_view bytes,
                                                              std::string& out) override;
  std::optional<client_error> end(std::string& out) override { return stream_.on_end(out); }
  std::string broken(const client_error& why, std::string_view request_id) const override {
    return render_stream_error(why, surface::openai, request_id);
  }
  token_usage usage() const override { return stream_.usage(); }

private:
  sse::parser events_;
  openai::chat_stream stream_;
};

} // namespace troupe
