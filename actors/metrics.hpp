#pragma once

#include "actors/key/pool_gauges.hpp"
#include "protocol/base/counter.hpp"
#include "protocol/base/time.hpp"
#include "protocol/gemini/classify.hpp"
#include "protocol/surface.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Spans in fixed buckets, from 100 us to 5 min. Written by one thread.
class histogram {
public:
  static constexpr std::array<double, 18> bounds_s = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                      0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                      1,      2.5,     10,     30,    60,     300};

  void add(duration span) noexcept;

  std::uint64_t bucket(std::size_t i) const { return buckets_[i].get(); } ///< last: above all
  double sum_s() const { return static_cast<double>(sum_us_.get()) / 1e6; }

private:
  std::array<counter, bounds_s.size() + 1> buckets_;
  counter sum_us_;
};

/// What one front counts. Written on its loop only; the admin port reads.
struct front_metrics {
  static constexpr std::size_t surfaces = 3;
  static constexpr std::size_t classes = 6; ///< 0: client gone; 1 to 5: status / 100
  static constexpr std::size_t outcomes =
      static_cast<std::size_t>(gemini::answer_class::upstream_fault) + 1;

  std::array<std::array<counter, classes>, surfaces> requests;
  std::array<counter, outcomes> attempts; ///< upstream calls by the class of their end
  counter exchanges_open;
  counter leases_open; ///< upstream calls under way
  counter streams_open;
  counter streams_cut; ///< begun and not ended cleanly by the upstream
  counter clients_gone;
  counter retries;
  counter refusals_401;
  counter tokens_prompt, tokens_output, tokens_thought, tokens_cached;
  histogram request_time;    ///< from the request's first byte to the answer's last
  histogram first_byte_time; ///< of the upstream, per attempt
  histogram lease_time;      ///< from asking the pool to the lease
};

/// The circuit breaker of one upstream host.
struct breaker_facts {
  std::string upstream; ///< its name
  bool open = false;
  bool half_open = false;
};

/// Facts of the moment that the metrics page shows beside the counters.
struct metrics_facts {
  std::string_view version;
  std::uint64_t keys_ready = 0, keys_cooling = 0, keys_probing = 0, keys_disabled = 0;
  std::uint64_t client_connections_open = 0, client_connections_total = 0;
  std::uint64_t client_connections_refused = 0, requests_refused = 0;
  std::uint64_t upstream_connections_open = 0, upstream_connections_total = 0;
  std::uint64_t log_lines_dropped = 0, log_lines_failed = 0;
  std::uint64_t storage_failures = 0; ///< writes that the disk refused
  std::uint64_t storage_pending = 0;  ///< rows that are not written yet
  const pool_gauges* pool = nullptr;  ///< none: nothing is shown of it
  std::vector<breaker_facts> breakers;
  bool ready = false;
  double uptime_s = 0;
};

/// Prometheus text format 0.0.4, all fronts added up.
std::string render_metrics(const std::vector<const front_metrics*>& fronts,
                           const metrics_facts& facts);

} // namespace troupe
