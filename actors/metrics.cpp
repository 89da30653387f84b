#include "actors/metrics.hpp"

#include <fmt/format.h>

#include <iterator>

namespace troupe {

namespace {

using get_counter = const counter& (*)(const front_metrics&);

class page {
public:
  explicit page(const std::vector<const front_metrics*>& fronts) : fronts_(fronts) {}

  void head(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(out(), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }

  template <class Get>
  std::uint64_t sum(Get get) const {
    std::uint64_t n = 0;
    for (const auto* front : fronts_)
      n += get(*front).get();
    return n;
  }

  template <class Value>
  void line(std::string_view name, std::string_view labels, Value value) {
    if (labels.empty())
      fmt::format_to(out(), "{} {}\n", name, value);
    else
      fmt::format_to(out(), "{}{{{}}} {}\n", name, labels, value);
  }

  template <class Value>
  void single(std::string_view name, std::string_view type, std::string_view help, Value value) {
    head(name, type, help);
    line(name, {}, value);
  }

  template <class Get>
  void spans(std::string_view name, std::string_view help, Get get) {
    head(name, "histogram", help);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= histogram::bounds_s.size(); ++i) {
      for (const auto* front : fronts_)
        below += get(*front).bucket(i);
      if (i < histogram::bounds_s.size())
        fmt::format_to(out(), "{}_bucket{{le=\"{}\"}} {}\n", name, histogram::bounds_s[i], below);
      else
        fmt::format_to(out(), "{}_bucket{{le=\"+Inf\"}} {}\n", name, below);
    }
    double total = 0;
    for (const auto* front : fronts_)
      total += get(*front).sum_s();
    fmt::format_to(out(), "{}_sum {}\n{}_count {}\n", name, total, name, below);
  }

  std::string text;

private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text); }

  const std::vector<const front_metrics*>& fronts_;
};

constexpr std::array<std::string_view, front_metrics::surfaces> surface_names = {
    "openai", "anthropic", "gemini"};
constexpr std::array<std::string_view, front_metrics::classes> class_names = {"gone", "1xx", "2xx",
                                                                              "3xx",  "4xx", "5xx"};

void requests(page& p) {
  p.head("troupe_requests_total", "counter", "Client requests by surface and class of the answer.");
  for (std::size_t s = 0; s < front_metrics::surfaces; ++s)
    for (std::size_t c = 0; c < front_metrics::classes; ++c)
      p.line("troupe_requests_total",
             fmt::format("surface=\"{}\",class=\"{}\"", surface_names[s], class_names[c]),
             p.sum([&](const front_metrics& f) -> const counter& { return f.requests[s][c]; }));
  p.head("troupe_upstream_requests_total", "counter", "Upstream calls by how they ended.");
  for (std::size_t i = 0; i < front_metrics::outcomes; ++i)
    p.line("troupe_upstream_requests_total",
           fmt::format("outcome=\"{}\"", gemini::to_string(static_cast<gemini::answer_class>(i))),
           p.sum([&](const front_metrics& f) -> const counter& { return f.attempts[i]; }));
}

void totals(page& p) {
  struct row {
    std::string_view name, type, help;
    counter front_metrics::*member;
  };
  static constexpr row rows[] = {
      {"troupe_exchanges_open", "gauge", "Requests being served.", &front_metrics::exchanges_open},
      {"troupe_leases", "gauge", "Upstream calls under way.", &front_metrics::leases_open},
      {"troupe_streams_open", "gauge", "Streams being relayed.", &front_metrics::streams_open},
      {"troupe_streams_cut_total", "counter", "Streams that the upstream did not end cleanly.",
       &front_metrics::streams_cut},
      {"troupe_clients_gone_total", "counter", "Requests whose client left before the end.",
       &front_metrics::clients_gone},
      {"troupe_retries_total", "counter", "Attempts beyond a request's first.",
       &front_metrics::retries},
      {"troupe_unauthorized_total", "counter", "Requests without a valid credential.",
       &front_metrics::refusals_401},
  };
  for (const auto& r : rows)
    p.single(r.name, r.type, r.help,
             p.sum([&](const front_metrics& f) -> const counter& { return f.*r.member; }));
  p.head("troupe_tokens_total", "counter", "LLM tokens as the upstream reported them.");
  static constexpr std::pair<std::string_view, counter front_metrics::*> kinds[] = {
      {"kind=\"prompt\"", &front_metrics::tokens_prompt},
      {"kind=\"output\"", &front_metrics::tokens_output},
      {"kind=\"thought\"", &front_metrics::tokens_thought},
      {"kind=\"cached\"", &front_metrics::tokens_cached}};
  for (const auto& [label, member] : kinds)
    p.line("troupe_tokens_total", label,
           p.sum([m = member](const front_metrics& f) -> const counter& { return f.*m; }));
}

void moment(page& p, const metrics_facts& f) {
  p.head("troupe_build_info", "gauge", "Always 1; the version is in the label.");
  p.line("troupe_build_info", fmt::format("version=\"{}\"", f.version), 1);
  p.single("troupe_ready", "gauge", "1 while this node takes requests.", f.ready ? 1 : 0);
  p.single("troupe_uptime_seconds", "gauge", "Since this process started.", f.uptime_s);
  p.head("troupe_keys", "gauge", "Upstream keys by health.");
  p.line("troupe_keys", "health=\"ready\"", f.keys_ready);
  p.line("troupe_keys", "health=\"cooling\"", f.keys_cooling);
  p.line("troupe_keys", "health=\"probing\"", f.keys_probing);
  p.line("troupe_keys", "health=\"disabled\"", f.keys_disabled);
  p.single("troupe_client_connections", "gauge", "Open client connections.",
           f.client_connections_open);
  p.single("troupe_client_connections_total", "counter", "Client connections taken.",
           f.client_connections_total);
  p.single("troupe_client_connections_refused_total", "counter",
           "Client connections refused at a limit.", f.client_connections_refused);
  p.single("troupe_malformed_requests_total", "counter",
           "Requests refused before they were understood.", f.requests_refused);
  p.single("troupe_upstream_connections", "gauge", "Open upstream connections.",
           f.upstream_connections_open);
  p.single("troupe_upstream_connections_total", "counter", "Upstream connections made.",
           f.upstream_connections_total);
  p.single("troupe_log_lines_dropped_total", "counter", "Log lines that found the queue full.",
           f.log_lines_dropped);
  p.single("troupe_log_lines_failed_total", "counter", "Log lines that the disk refused.",
           f.log_lines_failed);
  p.single("troupe_storage_failures_total", "counter", "Writes of key state that the disk refused.",
           f.storage_failures);
  p.single("troupe_storage_pending_rows", "gauge", "Rows of key state that are not written yet.",
           f.storage_pending);
}

void pool_page(page& p, const pool_gauges& g) {
  p.single("troupe_waiting_requests", "gauge", "Requests that wait for a key.", g.waiting.get());
  p.single("troupe_waited_total", "counter", "Requests that had to wait for a key.",
           g.waited.get());
  p.single("troupe_waited_in_vain_total", "counter", "Requests for which no key came back in time.",
           g.waited_in_vain.get());
  p.single("troupe_waiting_refused_total", "counter",
           "Requests refused because too many waited already.", g.waiting_refused.get());
  p.single("troupe_turned_back_total", "counter",
           "Requests that a key gave back to the pool, whose picture of it was older.",
           g.turned_back.get());
  p.single("troupe_credential_limited_total", "counter",
           "Requests over a limit of their credential.", g.refused_by_credential.get());
  p.single("troupe_rechecks_total", "counter", "Checks of disabled keys.", g.rechecks.get());
}

void breakers(page& p, const std::vector<breaker_facts>& all) {
  p.head("troupe_breaker_state", "gauge",
         "Circuit breakers of upstreams: 0 closed, 1 half open, 2 open.");
  for (const auto& b : all)
    p.line("troupe_breaker_state", fmt::format("upstream=\"{}\"", b.upstream),
           b.open        ? 2
           : b.half_open ? 1
                         : 0);
}

} // namespace

void histogram::add(duration span) noexcept {
  const double s = std::chrono::duration<double>(span).count();
  std::size_t i = 0;
  while (i < bounds_s.size() && s > bounds_s[i])
    ++i;
  buckets_[i].add();
  sum_us_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::microseconds>(span).count())));
}

std::string render_metrics(const std::vector<const front_metrics*>& fronts,
                           const metrics_facts& facts) {
  page p{fronts};
  p.text.reserve(16 * 1024);
  moment(p, facts);
  requests(p);
  totals(p);
  if (facts.pool != nullptr)
    pool_page(p, *facts.pool);
  breakers(p, facts.breakers);
  p.spans("troupe_request_duration_seconds",
          "From a request's first byte to the last of its answer.",
          [](const front_metrics& f) -> const histogram& { return f.request_time; });
  p.spans("troupe_upstream_first_byte_seconds", "From sending to the head of the answer.",
          [](const front_metrics& f) -> const histogram& { return f.first_byte_time; });
  p.spans("troupe_lease_duration_seconds", "From asking for a key to having one.",
          [](const front_metrics& f) -> const histogram& { return f.lease_time; });
  return std::move(p.text);
}

} // namespace troupe
