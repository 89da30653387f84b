#pragma once

#include "actors/front/answers.hpp"
#include "protocol/upstream/forward_stream.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Answers of upstreams that are called in the client's own protocol: they pass as they are,
/// after a look at what they say (protocol/upstream/forward).

namespace troupe {

/// A body that is passed on byte for byte. `expects_content`: for calls that ask a model; an
/// answer with nothing in it is then no answer.
class forward_whole final : public whole_answer {
public:
  forward_whole(upstream_kind kind, bool expects_content)
      : kind_(kind), expects_content_(expects_content) {}

  std::variant<std::string, inner_error, client_error> translate(std::string body) override;
  token_usage usage() const override { return usage_; }
  /// By which a later request may continue this answer; only on the key that gave it.
  std::string_view response_id() const { return response_id_; }

private:
  upstream_kind kind_;
  bool expects_content_;
  token_usage usage_;
  std::string response_id_;
};

/// A stream that is passed on event by event.
class forward_events final : public stream_answer {
public:
  forward_events(upstream::forward_form form, std::size_t event_bytes_max)
      : stream_(form, event_bytes_max) {}

  std::string_view content_type() const override { return "text/event-stream; charset=utf-8"; }
  std::optional<std::variant<inner_error, client_error>> feed(std::string_view bytes,
                                                              std::string& out) override;
  std::optional<client_error> end(std::string& out) override { return stream_.end(out); }
  std::string broken(const client_error& why, std::string_view request_id) const override {
    return stream_.broken(why, request_id);
  }
  token_usage usage() const override { return stream_.usage(); }
  std::string_view response_id() const { return stream_.response_id(); }

private:
  upstream::forward_stream stream_;
};

} // namespace troupe
