#include "actors/front/attempt_state.hpp"
#include "actors/front/attempt_words.hpp"
#include "actors/front/attempts.hpp"
#include "protocol/upstream/classify.hpp"

#include <utility>

// One call of an upstream, and what becomes of its answer.

namespace troupe {

namespace {

constexpr std::size_t error_body_bytes_max = 1024 * 1024;
constexpr std::string_view anthropic_version = "anthropic-version: 2023-06-01\r\n";

wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// The header lines by which a call of this kind shows its key.
void show_key(upstream_kind kind, std::string_view key, std::string& lines) {
  switch (kind) {
  case upstream_kind::gemini:
  case upstream_kind::vertex:
    lines += "x-goog-api-key: ";
    break;
  case upstream_kind::openai:
    lines += "authorization: Bearer ";
    break;
  case upstream_kind::anthropic:
    if (lines.find("anthropic-version:") == std::string::npos)
      lines += anthropic_version;
    lines += "x-api-key: ";
    break;
  }
  lines += key;
  lines += "\r\n";
}

/// Bases of OpenAI-compatible services end with their version or leave it to us.
bool names_version(std::string_view path) {
  for (auto at = path.find("/v"); at != std::string_view::npos; at = path.find("/v", at + 1))
    if (at + 2 < path.size() && path[at + 2] >= '0' && path[at + 2] <= '9')
      return true;
  return false;
}

std::string path_at(const upstream_target& target, std::string_view path) {
  std::string whole = target.base_path;
  constexpr std::string_view version = "/v1";
  if (target.kind == upstream_kind::openai && path.starts_with("/v1/") && names_version(whole))
    path.remove_prefix(version.size());
  whole += path;
  return whole;
}

} // namespace

/// Whether the call left, and how late.
struct attempts::bytes_watch {
  attempts& self;
  const acquire_reply& lease;
  time_point granted;
  duration patience; ///< later than this the key is told
  bool left = false;

  bytes_watch(attempts& a, const acquire_reply& l, time_point came, duration margin)
      : self(a), lease(l), granted(came), patience(margin / 2) {}

  static void on_bytes(void* watch) {
    auto& w = *static_cast<bytes_watch*>(watch);
    w.left = true;
    if (w.self.p_.loop.now() - w.granted > w.patience)
      w.self.p_.actors.tell(w.lease.key_actor, sent_late{w.lease.lease});
  }
};

http::task<attempts::attempt_end> attempts::attempt(client_side& side, const upstream_call& call,
                                                    const acquire_reply& lease,
                                                    std::size_t upstream) {
  const auto& target = side.with.config->upstreams[upstream];
  const auto path = path_at(target, call.path);
  std::string header_lines = call.header_lines;
  header_lines += target.header_lines;
  show_key(target.kind, lease.secret_text.reveal(), header_lines);
  bytes_watch watch(*this, lease, side.granted, side.with.config->pool.quota_margin);

  http::client_request request;
  request.method = call.method;
  request.target = path;
  request.header_lines = header_lines;
  request.body = call.body;
  request.has_body = call.method != "GET";
  request.timeouts = target.timeouts;
  request.proxy = lease.proxy.reveal();
  request.before_bytes.run = &bytes_watch::on_bytes;
  request.before_bytes.argument = &watch;

  const auto sent = p_.loop.now();
  auto answer = co_await side.with.clients[upstream]->send(target.where, request, side.cancel);
  attempt_end end;
  if (!answer) {
    end.gone = answer.error().code == errc::cancelled;
    end.unsent = !watch.left;
    end.proxy_failed = answer.error().code == errc::proxy_failed;
    end.verdict = verdict_of(answer.error());
    end.error = error_of(answer.error());
    co_return end;
  }
  const auto first_byte = p_.loop.now() - sent;
  p_.metrics.first_byte_time.add(first_byte);
  auto& from = **answer;
  auto told =
      from.status() == 200 ? limits_in(call.kind, from.fields(), {}) : std::vector<told_limit>{};
  if (from.status() != 200)
    end = co_await take_error(call, from);
  else if (side.streams())
    end = co_await pass_stream(side, call, from);
  else
    end = co_await take_whole(side, call, from);
  if (end.error) {
    hide_key(end.verdict.message, lease.secret_text);
    hide_key(end.error->message, lease.secret_text);
    if (end.error->upstream_body)
      hide_key(*end.error->upstream_body, lease.secret_text);
  }
  if (!told.empty())
    end.told = std::move(told);
  end.status = from.status();
  end.first_byte = first_byte;
  end.whole = p_.loop.now() - sent;
  co_return end;
}

http::task<attempts::attempt_end> attempts::take_error(const upstream_call& call,
                                                       http::client_response& from) {
  attempt_end end;
  std::string body;
  for (;;) {
    auto bytes = co_await from.read();
    if (!bytes) {
      end.gone = bytes.error().code == errc::cancelled;
      break; // the status alone tells enough
    }
    if (bytes->empty() || body.size() > error_body_bytes_max)
      break;
    body += *bytes;
  }
  end.verdict = judge(call, from.status(), body, &from.fields());
  if (end.verdict.what == gemini::answer_class::ok) {
    // A success that is not 200 (a 204, say) answers nothing that was asked.
    auto e = make_client_error(fault::upstream_error, "The upstream answered with status "
                                                          + std::to_string(from.status()) + ".");
    end.verdict = faulty_answer(e);
    end.error = std::move(e);
    co_return end;
  }
  end.told = limits_in(call.kind, from.fields(), body);
  end.error = upstream::to_client_error(call.kind, end.verdict, from.status(), body);
  co_return end;
}

gemini::verdict attempts::judge(const upstream_call& call, int status, std::string_view body,
                                const http::headers* fields) const {
  gemini::answer_facts facts;
  facts.model = call.model;
  facts.now = wall_now();
  std::vector<upstream::header_field> all;
  if (fields != nullptr) {
    facts.retry_after = fields->get("retry-after");
    facts.retry_after_ms = fields->get("retry-after-ms");
    all = fields_of(*fields);
    facts.fields = all;
  }
  return upstream::classify(call.kind, status, body, facts);
}

http::task<attempts::attempt_end> attempts::take_whole(client_side& side, const upstream_call& call,
                                                       http::client_response& from) {
  attempt_end end;
  std::string body;
  for (;;) {
    auto bytes = co_await from.read();
    if (!bytes) {
      end.gone = bytes.error().code == errc::cancelled;
      end.verdict = verdict_of(bytes.error());
      end.error = error_of(bytes.error());
      co_return end;
    }
    if (bytes->empty())
      break;
    if (body.size() + bytes->size() > side.with.config->answer_bytes_max) {
      auto e = make_client_error(fault::upstream_error,
                                 "The upstream's answer is larger than this node takes.");
      end.verdict = faulty_answer(e);
      end.verdict.other_key_helps = false;
      end.error = std::move(e);
      co_return end;
    }
    body += *bytes;
  }
  if (side.x == nullptr) {
    side.fetched = std::move(body);
    co_return end;
  }
  const auto answer = side.answers->whole();
  auto translated = answer->translate(std::move(body));
  end.usage = answer->usage();
  if (auto* inner = std::get_if<inner_error>(&translated)) {
    end.verdict = judge(call, inner->status, inner->body, nullptr);
    end.error = upstream::to_client_error(call.kind, end.verdict, inner->status, inner->body);
    co_return end;
  }
  if (auto* e = std::get_if<client_error>(&translated)) {
    end.verdict = faulty_answer(*e);
    end.error = std::move(*e);
    co_return end;
  }
  http::response_head head(200, "application/json");
  head.fields = side.fields;
  end.visible = true;
  end.gone = !co_await side.x->respond(head, std::get<std::string>(translated));
  co_return end;
}

http::task<attempts::attempt_end>
attempts::pass_stream(client_side& side, const upstream_call& call, http::client_response& from) {
  attempt_end end;
  const auto answer = side.answers->stream();
  std::string out;
  std::optional<client_error> error;
  for (bool over = false; !over;) {
    auto bytes = co_await from.read();
    out.clear();
    if (!bytes) {
      end.gone = bytes.error().code == errc::cancelled;
      end.verdict = verdict_of(bytes.error());
      error = error_of(bytes.error());
    } else if (bytes->empty()) {
      error = answer->end(out);
      if (error)
        end.verdict = faulty_answer(*error);
      over = true;
    } else if (auto failed = answer->feed(*bytes, out)) {
      if (auto* inner = std::get_if<inner_error>(&*failed)) {
        end.verdict = judge(call, inner->status, inner->body, nullptr);
        error = upstream::to_client_error(call.kind, end.verdict, inner->status, inner->body);
      } else {
        error = std::get<client_error>(std::move(*failed));
        end.verdict = faulty_answer(*error);
      }
    }
    if (end.gone)
      break;
    if (error && !end.visible && out.empty()) {
      end.error = std::move(error); // the client saw nothing: another key may do better
      end.usage = answer->usage();
      co_return end;
    }
    if (!out.empty() && !end.visible) {
      http::response_head head(200, answer->content_type());
      head.fields = "cache-control: no-cache\r\nx-accel-buffering: no\r\n";
      head.fields += side.fields;
      end.visible = true;
      tell_well(side, call);
      p_.metrics.streams_open.add();
      if (!std::exchange(side.begun, true))
        end.gone = !co_await side.x->start(head);
    }
    if (error) {
      out += answer->broken(*error, side.x->request_id());
      over = true;
    }
    if (!end.gone && !out.empty())
      end.gone = !co_await side.x->write(out);
    if (end.gone)
      break;
  }
  if (end.visible)
    p_.metrics.streams_open.subtract();
  end.usage = answer->usage();
  if (error && !end.gone) {
    p_.metrics.streams_cut.add();
    end.error = std::move(error);
    side.x->cut();
  } else if (!end.gone) {
    end.gone = !co_await side.x->finish();
  }
  co_return end;
}

} // namespace troupe
