#pragma once

#include "protocol/base/limit.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/secret.hpp"
#include "protocol/base/time.hpp"
#include "protocol/translation_options.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// What an operator can decide, as plain values with their defaults. `config/load.hpp` fills
/// them from a file and the environment; `configs/troupe.json` explains each of them.
/// Names, units and ranges are those of the option table in `config/options.hpp`.

namespace troupe {

enum class scheduler_kind : std::uint8_t {
  asio,    ///< actors run on the socket loops' own threads
  sharing, ///< CAF's packaged work sharing
};

struct listen_address {
  std::string address; ///< numeric, without brackets
  std::uint16_t port;  ///< 0: any free one

  friend bool operator==(const listen_address&, const listen_address&) = default;
};

/// `127.0.0.1:8080`, `[::1]:8080`.
std::string to_string(const listen_address& where);

/// PEM files of the public listener; both or none.
struct tls_settings {
  std::string certificate_chain;
  std::string private_key;

  bool enabled() const { return !certificate_chain.empty(); }

  friend bool operator==(const tls_settings&, const tls_settings&) = default;
};

/// Bounds of the HTTP server, with the names of `http::server_options`.
struct server_settings {
  std::size_t header_bytes_max = std::size_t{64} * 1024;
  std::size_t body_bytes_max = std::size_t{32} * 1024 * 1024;
  std::size_t connections_max = 10'000;
  duration header_timeout = std::chrono::seconds{15};
  duration body_timeout = std::chrono::seconds{60};
  duration idle_timeout = std::chrono::seconds{120};
  duration write_timeout = std::chrono::seconds{60};

  friend bool operator==(const server_settings&, const server_settings&) = default;
};

/// One upstream and the keys for it. Timeouts and limits have the names of `http/client.hpp`.
struct upstream_settings {
  std::string name = "gemini";
  upstream_kind kind = upstream_kind::gemini;
  /// Scheme, host, port and path before the API's own paths: no `/v1beta` at its end.
  std::string base_url = "https://generativelanguage.googleapis.com";
  std::vector<secret> keys; ///< without repetitions; those of `keys_file` are among them
  std::string keys_file;    ///< one key per line; already read into `keys`
  duration connect_timeout = std::chrono::seconds{10};
  duration first_byte_timeout = std::chrono::seconds{120};
  duration silence_timeout = std::chrono::seconds{60};
  duration total_timeout = std::chrono::seconds{600};
  std::size_t connections_idle_max = 256; ///< per loop
  duration idle_timeout = std::chrono::seconds{55};
  std::size_t head_bytes_max = std::size_t{64} * 1024;
  std::string ca_file;                   ///< empty: the system's
  bool verify = true;                    ///< certificate chain and host name
  std::map<std::string, secret> headers; ///< added to every call; values may be credentials
  /// Of every key of it that declares none of the same kind and model.
  std::vector<limit> limits;

  friend bool operator==(const upstream_settings&, const upstream_settings&) = default;
};

/// How the key of an attempt is chosen among those that may serve it.
enum class pool_strategy : std::uint8_t {
  most_headroom, ///< the key with the largest part of its limits left
  round_robin,   ///< one after the other
  weighted,      ///< in proportion to their weights
  least_busy,    ///< the key with the fewest calls under way
  p2c_ewma,      ///< of two at random, the one that answered sooner of late
};

/// How keys are chosen and judged, and how long a request waits for one.
struct pool_settings {
  std::uint32_t attempts_max = 3; ///< upstream calls for one request, the first included
  duration request_deadline = std::chrono::seconds{300}; ///< no attempt begins after it
  std::uint32_t strikes_max = 3;                    ///< refusals in a row before a key is disabled
  duration cooldown = std::chrono::seconds{60};     ///< for a throttle that names no delay
  duration cooldown_max = std::chrono::minutes{10}; ///< bounds our guess, not the upstream's word
  pool_strategy strategy = pool_strategy::most_headroom;
  duration wait_max = std::chrono::seconds{30}; ///< for a key; 0: no request waits
  std::size_t waiting_max = 10'000;             ///< at one time; more are refused at once
  /// Between comments to waiting streams of the OpenAI surface; 0: none.
  duration wait_heartbeat = std::chrono::seconds{10};
  /// Added to every window, for a request travels and the upstream's clock is not ours.
  duration quota_margin = std::chrono::milliseconds{250};
  std::string day_zone = "America/Los_Angeles"; ///< whose midnight ends a day's quota
  std::size_t output_tokens_assumed = 65'536;   ///< reserved when a request names no bound
  bool learn_limits = true;                     ///< where none is declared
  bool retry_empty = true; ///< an answer without candidates and without a block is tried again
  bool affinity = true;    ///< the same key for the same session or long prompt prefix
  /// Headers of a client that name its session, in lower case; the first that is there counts.
  std::vector<std::string> session_headers{"x-session-id", "x-conversation-id"};
  duration recheck_min = std::chrono::minutes{5}; ///< first wait of a disabled key; 0: none
  duration recheck_max = std::chrono::hours{6};
  std::size_t rechecks_per_minute = 30; ///< of all keys together

  friend bool operator==(const pool_settings&, const pool_settings&) = default;
};

/// The circuit breaker of an upstream host.
struct breaker_settings {
  bool enabled = true;
  std::size_t calls_min = 10; ///< ended within `window`, before the host is judged
  std::size_t failures_percent = 50;
  duration window = std::chrono::seconds{10};
  duration open_min = std::chrono::seconds{2}; ///< doubles each time that it opens again
  duration open_max = std::chrono::seconds{60};
  std::size_t probes = 2; ///< calls that must succeed, half open, before it closes
  duration slow_start = std::chrono::seconds{10}; ///< from closed to full load; 0: at once

  friend bool operator==(const breaker_settings&, const breaker_settings&) = default;
};

/// Outgoing proxies of some keys.
struct egress_group {
  std::string name;                ///< for logs and metrics; unique
  std::vector<std::string> groups; ///< of keys; empty: of all that no other group names
  std::vector<secret> proxies;     ///< URLs; they may hold a password

  friend bool operator==(const egress_group&, const egress_group&) = default;
};

/// The way out to the upstreams.
struct egress_settings {
  /// Of keys that no group names and that have none of their own; empty: direct.
  std::vector<secret> proxies;
  std::vector<egress_group> groups;
  duration retry = std::chrono::seconds{30}; ///< first rest of a dead proxy; it grows
  /// So many keys of one egress, throttled without words within the span, rest it; 0: never.
  std::size_t throttled_keys = 3;
  duration throttled_within = std::chrono::seconds{5};

  friend bool operator==(const egress_settings&, const egress_settings&) = default;
};

/// Who may call. Exactly one of `value` and `sha256` is set.
struct credential_settings {
  std::string name; ///< for logs; never the secret
  secret value;
  std::string sha256; ///< 64 lower-case hex digits, of the secret's bytes

  friend bool operator==(const credential_settings&, const credential_settings&) = default;
};

/// Both lists may be empty. That opens nothing: the node then makes a credential of its own.
struct credentials_settings {
  std::vector<credential_settings> clients;
  std::vector<credential_settings> admins;

  friend bool operator==(const credentials_settings&, const credentials_settings&) = default;
};

/// Where requests for some models go.
struct model_route {
  std::vector<std::string> models;    ///< names, or patterns with `*`; never empty
  std::vector<std::string> upstreams; ///< names; empty: all that speak the model's protocol
  std::vector<std::string> groups;    ///< of keys; empty: all

  friend bool operator==(const model_route&, const model_route&) = default;
};

struct models_settings {
  std::vector<std::string> known;             ///< real upstream models besides the built-in list
  std::vector<std::string> hidden;            ///< left out of model lists
  std::map<std::string, std::string> aliases; ///< name that clients say, model that it means
  /// Models to take instead, in this order, when no attempt for the first can succeed.
  std::map<std::string, std::vector<std::string>> fallbacks;
  std::vector<model_route> routes; ///< the first that fits counts

  friend bool operator==(const models_settings&, const models_settings&) = default;
};

enum class log_target : std::uint8_t {
  files, ///< one per area and one of errors, in `directory`
  standard_output,
  standard_error,
};

enum class log_format : std::uint8_t { text, json };

constexpr std::size_t log_areas = 6; ///< values of `log_area`

struct log_settings {
  log_target target = log_target::standard_output;
  std::string directory; ///< empty: `logs` below the data directory
  log_format format = log_format::text;
  log_level level = log_level::info;
  /// Per area, indexed by `log_area`; filled from `level` where none is configured.
  std::array<log_level, log_areas> levels{log_level::info, log_level::info, log_level::info,
                                          log_level::info, log_level::info, log_level::info};
  std::size_t file_bytes_max = std::size_t{16} * 1024 * 1024;
  std::size_t files_max = 5;                      ///< per area, the current one included
  duration age_max = std::chrono::hours{24 * 30}; ///< older files go; 0: none go by age
  std::size_t queue_max = 8192; ///< lines waiting for the disk; the oldest are dropped, counted

  friend bool operator==(const log_settings&, const log_settings&) = default;
};

struct cors_settings {
  std::vector<std::string> origins; ///< exact origins, or `*`; empty: browsers are refused

  friend bool operator==(const cors_settings&, const cors_settings&) = default;
};

struct settings {
  listen_address listen{"127.0.0.1", 8080};
  tls_settings tls;
  listen_address admin_listen{"127.0.0.1", 8081};
  std::string data_dir = "data";
  std::string master_key_file; ///< empty: `master.key` in `data_dir`
  scheduler_kind scheduler = scheduler_kind::asio;
  std::size_t loops = 0; ///< 0: one per core
  duration drain_timeout = std::chrono::seconds{30};
  server_settings server;
  cors_settings cors;
  /// Never empty after loading; names are unique.
  std::vector<upstream_settings> upstreams{upstream_settings{}};
  pool_settings pool;
  breaker_settings breaker;
  egress_settings egress;
  credentials_settings credentials;
  models_settings models;
  translation_options translation;
  log_settings log;
};

} // namespace troupe
